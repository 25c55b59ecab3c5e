import { expect, test } from 'vitest';
import * as layouts from '../../../src/native/layout.ts';
import { cLayout } from '../../support/c-facts.ts';
import { requires } from '../../support/requires.ts';

const structures = Object.values(layouts).map((layout) => ({ name: layout.name, layout }));

test.skipIf(!requires('gcc')).each(structures)('$name is as its header says', ({ layout }) => {
  expect(layout).toEqual(cLayout(layout));
});
