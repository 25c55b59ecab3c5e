import { afterEach, expect, test, vi } from 'vitest';
import { givenSettings } from '../../../../src/app/cli/given-settings.ts';
import { defaultConfig } from '../../../../src/config/default-config.ts';

const variables = Object.keys(process.env).filter((name) => name.startsWith('MIRRORTAP_'));

afterEach(() => vi.unstubAllEnvs());

function withoutVariables(): void {
  for (const name of variables) vi.stubEnv(name, undefined);
}

test('where nothing is given, the defaults are taken as they are written down', async () => {
  withoutVariables();
  expect(await givenSettings({})).toBe(defaultConfig);
  expect(await givenSettings({ set: [] }, [])).toBe(defaultConfig);
});

test('a setting counts wherever it is given', async () => {
  withoutVariables();
  const bySet = await givenSettings({ set: ['admission.maxLanes=7'] });
  expect(bySet).toEqual({ ...defaultConfig, admission: { ...defaultConfig.admission, maxLanes: 7 } });
  const byOption = await givenSettings({}, [{ setting: 'admission.vnis', value: '[8]', source: '--vni' }]);
  expect(byOption.admission.vnis).toEqual([8]);
  await expect(givenSettings({ config: '/nowhere/mirrortap.yaml' })).rejects.toThrow(/mirrortap.yaml/);
  vi.stubEnv('mirrortap_admission__maxlanes', '9');
  expect((await givenSettings({})).admission.maxLanes).toBe(9);
});
