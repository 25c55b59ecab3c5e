import { EtherType } from '../../wire/ether-type.ts';
import { IpProtocol } from '../../wire/ip-protocol.ts';
import { all, any, at, type Condition, Load } from './condition.ts';
import type { FrameLayout } from './frame-layout.ts';

export const IPV4_PROTOCOL = 9;
export const IPV6_NEXT_HEADER = 6;
export const IPV6_LEN = 40;
const IPV4_FRAGMENT = 6;
const FRAGMENT_OFFSET = 0x1fff;

/** No fragment, or the first. */
export function firstFragment({ network }: FrameLayout): Condition {
  return at(Load.half, network + IPV4_FRAGMENT, 0, FRAGMENT_OFFSET);
}

/** What IPv4, IPv6 or either carries. Of IPv6 the first header, or that behind a fragment header. */
export function ofProtocol(
  { version, number }: { readonly version: 4 | 6 | undefined; readonly number: number },
  layout: FrameLayout,
): Condition {
  const { network } = layout;
  if (version === undefined)
    return any(ofProtocol({ version: 4, number }, layout), ofProtocol({ version: 6, number }, layout));
  if (version === 4)
    return all(layout.etherType(EtherType.ipv4), at(Load.byte, network + IPV4_PROTOCOL, number));
  return all(
    layout.etherType(EtherType.ipv6),
    any(
      at(Load.byte, network + IPV6_NEXT_HEADER, number),
      all(
        at(Load.byte, network + IPV6_NEXT_HEADER, IpProtocol.fragment),
        at(Load.byte, network + IPV6_LEN, number),
      ),
    ),
  );
}
