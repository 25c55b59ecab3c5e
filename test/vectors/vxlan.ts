import { Fault } from '../../src/wire/fault.ts';

/** VXLAN headers. */
export const vxlanVectors = [
  {
    name: 'VNI 1',
    source: 'RFC 7348 section 5',
    bytes: '08 000000 000001 00',
    fault: Fault.none,
    vni: 1,
    reserved: false,
  },
  {
    name: 'largest VNI',
    source: 'RFC 7348 section 5',
    bytes: '08 000000 ffffff 00',
    fault: Fault.none,
    vni: 0xff_ffff,
    reserved: false,
  },
  {
    name: 'all reserved bits set: ignored',
    source: 'RFC 7348 section 5',
    bytes: 'ff ffffff 00002a ff',
    fault: Fault.none,
    vni: 42,
    reserved: true,
  },
  {
    name: 'a reserved flag',
    source: 'RFC 7348 section 5',
    bytes: '0c 000000 00002a 00',
    fault: Fault.none,
    vni: 42,
    reserved: true,
  },
  {
    name: 'group policy: G flag and group id in reserved bytes',
    source: 'draft-smith-vxlan-group-policy',
    bytes: '88 000123 00002a 00',
    fault: Fault.none,
    vni: 42,
    reserved: true,
  },
  {
    name: 'last reserved byte',
    source: 'RFC 7348 section 5',
    bytes: '08 000000 00002a 01',
    fault: Fault.none,
    vni: 42,
    reserved: true,
  },
  {
    name: 'I flag clear',
    source: 'RFC 7348 section 5',
    bytes: '00 000000 000001 00',
    fault: Fault.vxlanNoVni,
  },
  {
    name: 'every flag but I',
    source: 'RFC 7348 section 5',
    bytes: 'f7 000000 000001 00',
    fault: Fault.vxlanNoVni,
  },
  {
    name: 'one byte short',
    source: 'RFC 7348 section 5',
    bytes: '08 000000 000001',
    fault: Fault.vxlanTruncated,
  },
  { name: 'empty', source: 'RFC 7348 section 5', bytes: '', fault: Fault.vxlanTruncated },
] as const;
