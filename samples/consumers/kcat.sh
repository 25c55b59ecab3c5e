#!/bin/sh
# Reads mirrortap's topics with kcat, from their beginning to their present end.
#
#   ./kcat.sh flows                   the flow records (JSON), one a line
#   ./kcat.sh packets                 of each record of the packets topic: partition, offset, key, bytes, headers
#   ./kcat.sh pcapng > all.pcapng     packets.encoding pcapng: all records, one after the other, are a pcapng too
#
# BROKERS, FLOWS and PACKETS name brokers and topics; KCAT_CONFIG names a file with properties of librdkafka (TLS, SASL).
set -eu
brokers=${BROKERS:-127.0.0.1:9092}
flows=${FLOWS:-mirrortap.flows}
packets=${PACKETS:-mirrortap.packets}

case ${1:-} in
  flows) exec kcat -b "$brokers" -C -t "$flows" -o beginning -e -q -f '%s' ;;
  packets) exec kcat -b "$brokers" -C -t "$packets" -o beginning -e -q -f '%p %o %k %S %h\n' ;;
  pcapng) exec kcat -b "$brokers" -C -t "$packets" -o beginning -e -q -f '%s' ;;
  *)
    echo "usage: $0 flows|packets|pcapng" >&2
    exit 2
    ;;
esac
