/** Most bytes of one packet that are read or written: the limit of libpcap and Wireshark for Ethernet and IP. */
export const MAX_PACKET_BYTES = 262_144;

/**
 * Most bytes of one record that must be looked at as a whole: a pcap record, or a pcapng block with a packet
 * or an interface. Twice the largest packet leaves as much room again for the options of a block. A window
 * of this many bytes is always enough for a decoder to get on.
 */
export const MAX_RECORD_BYTES = 2 * MAX_PACKET_BYTES;

/** Most interfaces of one pcapng section: the obsolete packet block cannot name more. */
export const MAX_INTERFACES = 65_536;
