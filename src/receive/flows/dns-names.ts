import { NameKind } from '../../packet/flow-record.ts';
import { putIpv4, putIpv6 } from '../../wire/address-text.ts';
import { u16 } from '../../wire/bytes.ts';
import * as dns from '../../wire/dns.ts';
import { ADDRESS_LEN as IPV4_ADDRESS_LEN } from '../../wire/ipv4.ts';
import { ADDRESS_LEN as IPV6_ADDRESS_LEN } from '../../wire/ipv6.ts';
import { Found, type NameWriter } from './name-writer.ts';

/** Questions and answers of one message whose names are kept. */
const QUESTIONS_MAX = 2;
const ANSWERS_MAX = 4;
/** Most bytes of a message whose length comes by itself: more is text, or part of something else. */
const LENGTH_ALONE_MAX = 4096;
/** Questions and records of one message that are looked at. */
const ENTRIES_MAX = 32;

/**
 * Keeps names of the DNS message at `at`: what is asked, and the addresses and names that answer it (A, AAAA, CNAME,
 * PTR). What is not there to its end is not kept; `more` where the message goes on.
 */
export function findDnsNames(bytes: Uint8Array, at: number, end: number, names: NameWriter): Found {
  if (!dns.complete(at, end)) return Found.more;
  if (!dns.plausible(bytes, at)) return Found.nothing;
  const questions = dns.questionCount(bytes, at);
  const answers = dns.isResponse(bytes, at) ? dns.answerCount(bytes, at) : 0;
  const entries = Math.min(questions + answers, ENTRIES_MAX);
  let cursor = at + dns.HEADER_LEN;
  let kept = 0;
  for (let entry = 0; entry < entries; entry++) {
    names.text.clear();
    const after = dns.putName(bytes, at, cursor, end, names.text);
    if (after === dns.NAME_BAD) return entry === 0 ? Found.nothing : Found.all;
    if (entry === 0) names.keepProtocol('dns');
    if (after === dns.NAME_CUT) return Found.more;
    if (entry < questions) {
      if (entry < QUESTIONS_MAX) names.keep(NameKind.dnsQuestion);
      cursor = after + dns.QUESTION_FIXED_LEN;
      continue;
    }
    if (!dns.recordComplete(bytes, after, end)) return Found.more;
    if (keepAnswer(bytes, at, after, names) && ++kept === ANSWERS_MAX) return Found.all;
    cursor = after + dns.RECORD_FIXED_LEN + dns.dataLength(bytes, after);
  }
  return Found.all;
}

/**
 * The same over TCP, where the length of the message stands before it: `at` is the beginning of a segment. A segment
 * in the middle of a message begins with other bytes, which seldom look like a length and a header. Some send the length in
 * a segment of its own: it says that DNS is spoken, and the message follows.
 */
export function findDnsNamesOverTcp(bytes: Uint8Array, at: number, end: number, names: NameWriter): Found {
  if (end - at < dns.LENGTH_LEN) return Found.nothing;
  const messageAt = at + dns.LENGTH_LEN;
  const messageEnd = messageAt + u16(bytes, at);
  if (messageEnd < messageAt + dns.HEADER_LEN) return Found.nothing;
  const isAlone = end === messageAt && messageEnd > messageAt + dns.HEADER_LEN;
  if (isAlone && messageEnd <= messageAt + LENGTH_ALONE_MAX) {
    names.keepProtocol('dns');
    return Found.more;
  }
  const found = findDnsNames(bytes, messageAt, Math.min(end, messageEnd), names);
  return found === Found.more && end >= messageEnd ? Found.all : found;
}

/** Keeps what the record says whose name ends at `at`; false where it is of another type. */
function keepAnswer(bytes: Uint8Array, messageAt: number, at: number, names: NameWriter): boolean {
  if (dns.recordClass(bytes, at) !== dns.CLASS_IN) return false;
  const type = dns.recordType(bytes, at);
  const dataAt = at + dns.RECORD_FIXED_LEN;
  const dataEnd = dataAt + dns.dataLength(bytes, at);
  names.text.clear();
  if (type === dns.RecordType.a && dataEnd - dataAt === IPV4_ADDRESS_LEN) {
    putIpv4(bytes, dataAt, names.text);
  } else if (type === dns.RecordType.aaaa && dataEnd - dataAt === IPV6_ADDRESS_LEN) {
    putIpv6(bytes, dataAt, names.text);
  } else if (type === dns.RecordType.cname || type === dns.RecordType.ptr) {
    if (dns.putName(bytes, messageAt, dataAt, dataEnd, names.text) !== dataEnd) return false;
  } else {
    return false;
  }
  names.keep(NameKind.dnsAnswer);
  return true;
}
