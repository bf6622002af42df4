/** A provider that is off in the file, and whose credentials are not in the environment: no switch makes the gateway ask it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { sha256Hex } from '../../src/seal/hash.ts';
import { startBringinSimulator, type RunningSimulator as Bringin } from '../../src/providers/bringin/bringin.simulator.ts';
import { apiSecret, bringinBlock, masterKey } from '../support/bringin.ts';
import { movableClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const clock = movableClock();
const headers = { authorization: 'Bearer the-token-of-an-operator-of-this-gateway' };
let gateway: TestGateway;
let bringin: Bringin;
beforeAll(async () => {
  bringin = await startBringinSimulator({ id: 'bringin', now: clock.now, masterKey, apiSecret });
  gateway = await startTestGateway(
    { alpine: { simulator: {} } },
    {
      clock,
      blocks: { bringin: { ...bringinBlock(bringin.url), mode: 'off' } },
      config: { operator: { token_hashes: [sha256Hex('the-token-of-an-operator-of-this-gateway')] } },
    },
  );
});
afterAll(async () => {
  await gateway.close();
  await bringin.close();
});

const switchTo = async (mode: string) => await createWallet(gateway.url).call('/operator/providers/bringin', { mode, reason: 'a test' }, headers);
const shown = async () => {
  const { body } = await createWallet(gateway.url).call('/operator/overview', undefined, headers);
  const row = (body['providers'] as { provider: string; mode: string; credentials: string }[]).find(({ provider }) => provider === 'bringin');
  const listed = (await createWallet(gateway.url).call('/providers')).body['providers'] as { id: string }[];
  return [row?.credentials, row?.mode, gateway.server.gateway.providers.find(({ id }) => id === 'bringin')?.core.mode, listed.map(({ id }) => id)];
};

it.each(['on', 'shadow'])('an operator cannot switch it to %s', async (mode) => {
  const answer = await switchTo(mode);
  expect([answer.status, answer.body['errors']]).toEqual([
    400,
    [
      {
        pointer: '/mode',
        detail: `cannot be ${mode}: a variable that holds the provider's credentials is not set. Set it and restart the gateway`,
      },
    ],
  ]);
  expect(await shown()).toEqual(['missing', 'off', 'off', ['alpine']]);
});

it.each(['on', 'shadow'])('it stays off if a switch from earlier says %s', async (mode) => {
  await gateway.server.gateway.stores.operator.setSwitch({ name: 'provider/bringin', mode, reason: 'old', setOn: clock.now(), setBy: 'someone' });
  await gateway.pass(5_000);
  expect(await shown()).toEqual(['missing', 'off', 'off', ['alpine']]);
});

it.each(['drain', 'off', 'configured'])('an operator may set it to %s', async (mode) => {
  expect((await switchTo(mode)).status).toBe(200);
});
