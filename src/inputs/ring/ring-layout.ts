/**
 * The packet ring as the kernel lays it out: TPACKET_V3, described in Documentation/networking/packet_mmap.rst of the
 * kernel and declared in linux/if_packet.h. Numbers are in the machine's byte order, which is little-endian here.
 */
import type { Layout } from '../../native/layout.ts';

/** Begins a block of the ring; what the block holds is linked from packet to packet. */
export const blockDescriptor = {
  header: 'linux/if_packet.h',
  name: 'struct tpacket_block_desc',
  bytes: 48,
  at: {
    'hdr.bh1.block_status': 8,
    'hdr.bh1.num_pkts': 12,
    'hdr.bh1.offset_to_first_pkt': 16,
    'hdr.bh1.seq_num': 24,
  },
} as const satisfies Layout;

/** Stands before each packet, in one block with it. */
export const packetHeader = {
  header: 'linux/if_packet.h',
  name: 'struct tpacket3_hdr',
  bytes: 48,
  at: { tp_next_offset: 0, tp_sec: 4, tp_nsec: 8, tp_snaplen: 12, tp_len: 16, tp_mac: 24, tp_net: 26 },
} as const satisfies Layout;

/** What PACKET_RX_RING takes. */
export const ringRequest = {
  header: 'linux/if_packet.h',
  name: 'struct tpacket_req3',
  bytes: 28,
  at: { tp_block_size: 0, tp_block_nr: 4, tp_frame_size: 8, tp_frame_nr: 12, tp_retire_blk_tov: 16 },
} as const satisfies Layout;

/** What PACKET_STATISTICS tells: since it was last asked. */
export const ringStatistics = {
  header: 'linux/if_packet.h',
  name: 'struct tpacket_stats_v3',
  bytes: 12,
  at: { tp_packets: 0, tp_drops: 4 },
} as const satisfies Layout;

/** Values of a block's status. */
export const BlockStatus = {
  /** TP_STATUS_KERNEL: the kernel fills it, or will. */
  kernel: 0,
  /** TP_STATUS_USER, one bit of several: the reader's, until it says otherwise. */
  user: 1,
  /** TP_STATUS_BLK_TMO, one bit of several: handed over because it was time, not because it was full. */
  timedOut: 1 << 5,
} as const;

/** `enum tpacket_versions` */
export const TPACKET_V3 = 2;
