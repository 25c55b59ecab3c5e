import { expect, test } from 'vitest';
import * as layout from '../../../../src/inputs/ring/ring-layout.ts';
import { cFacts, cLayout } from '../../../support/c-facts.ts';
import { requires } from '../../../support/requires.ts';

const { BlockStatus, TPACKET_V3, ...structures } = layout;
const able = requires('gcc');

test.skipIf(!able).each(Object.values(structures))('$name is as its header says', (structure) => {
  expect(structure).toEqual(cLayout(structure));
});

test.skipIf(!able)('numbers are as the header says', () => {
  const names = ['TP_STATUS_KERNEL', 'TP_STATUS_USER', 'TP_STATUS_BLK_TMO', 'TPACKET_V3'];
  const facts = cFacts(['linux/if_packet.h'], names);
  expect(names.map((name) => facts.get(name))).toEqual([
    BlockStatus.kernel,
    BlockStatus.user,
    BlockStatus.timedOut,
    TPACKET_V3,
  ]);
});
