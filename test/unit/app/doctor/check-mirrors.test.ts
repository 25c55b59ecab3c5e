import { expect, test } from 'vitest';
import { tryMirrors } from '../../../../src/app/doctor/try-mirrors.ts';
import { mirror, settings, testFindings } from '../../../support/doctor-facts.ts';
import { requiresNative } from '../../../support/native.ts';
import { requiresRoot } from '../../../support/requires.ts';

testFindings([
  {
    name: 'inject',
    when: 'all is well',
    facts: {},
    status: 'ok',
    says: /tap: packets of up to 9001 .* mirror0/,
  },
  {
    name: 'inject',
    when: 'there is no interface',
    facts: { mirrors: [mirror({ refusal: 'There is no network interface mirror0.', mtuBytes: undefined })] },
    status: 'problem',
    says: /^sinks.tap: There is no/,
  },
  {
    name: 'inject',
    when: 'the MTU is small',
    facts: { mirrors: [mirror({ mtuBytes: 9000 })] },
    status: 'note',
    says: /MTU of 9000/,
  },
  {
    name: 'inject',
    when: 'it has an address',
    facts: { mirrors: [mirror({ hasAddress: true })] },
    status: 'note',
    says: /mirror0 has an address/,
  },
  {
    name: 'inject',
    when: 'each lane has its own',
    facts: { mirrors: [mirror({ interfaceName: 'm{vni}', isPattern: true, mtuBytes: undefined })] },
    status: 'note',
    says: /interfaces m\{vni\} are looked up/,
  },
]);

test.skipIf(!(await requiresNative()) || !requiresRoot())(
  'what is tried: only sinks that are on, without writing',
  async () => {
    const config = settings(
      'sinks.tap.kind=inject',
      'sinks.tap.interface=nowhere',
      'sinks.lo.kind=inject',
      'sinks.lo.interface=lo',
      'sinks.many.kind=inject',
      'sinks.many.interface=m{vni}',
      'sinks.off.kind=inject',
      'sinks.off.interface=nowhere',
      'sinks.off.enabled=false',
    );
    expect(await tryMirrors(config)).toEqual([
      mirror({
        interfaceName: 'nowhere',
        refusal: expect.stringMatching(/no network interface nowhere/),
        mtuBytes: undefined,
      }),
      mirror({
        sink: 'lo',
        interfaceName: 'lo',
        refusal: expect.stringMatching(/no Ethernet/),
        mtuBytes: undefined,
      }),
      mirror({ sink: 'many', interfaceName: 'm{vni}', isPattern: true, mtuBytes: undefined }),
    ]);
  },
);
