/** A provider that demands proof gets signatures by customers' node keys. None of them may be valid anywhere else. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWallet } from '../../scripts/demo/wallet.ts';
import { signNodeMessage } from '../../src/bitcoin/node-signature.ts';
import { publicKeyOf } from '../../src/bitcoin/secp256k1.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const victimKey = '77'.repeat(32);
let gateway: TestGateway;
beforeAll(async () => {
  const demanding = { simulator: { proof: 'demanded', quoteTtlS: 3600 }, block: { proof: 'demanded', catalogue_without_session: true } } as const;
  gateway = await startTestGateway({ alpine: { simulator: { quoteTtlS: 3600 } }, mallory: demanding, honest: demanding });
});
afterAll(async () => await gateway.close());

const anyone = () => createWallet(gateway.url);
type Verified = { session_id: string; tokens: Record<string, string> };
const verify = async () => (await anyone().call('/verify')).body as Verified;
/** Signs every token, as a careless wallet does. */
const signAll = ({ tokens }: Verified) => Object.fromEntries(Object.entries(tokens).map(([of, token]) => [of, signNodeMessage(token, victimKey)]));
const handOut = (token: string | undefined, by = 'mallory') => {
  const options = gateway.simulators[by]?.control.options;
  if (!options) throw new Error('no such provider');
  options.says = (endpoint, truth) => (endpoint === 'verify' && token !== undefined ? { ...truth, token } : undefined);
};
const sessionsAt = (id: string) =>
  (gateway.simulators[id]?.control.history.requests ?? []).flatMap(({ endpoint, body }) => (endpoint === 'session' ? [body] : []));

it("the gateway's own token, handed out as a provider's, is not passed on; its customer keeps what they own", async () => {
  // Mallory begins a session at the gateway, as anybody may, and wants the victim to sign that session's token.
  const malloryOwn = await verify();
  handOut(malloryOwn.tokens['gateway'] ?? '');
  const victim = await verify();
  expect(Object.keys(victim.tokens).sort()).toEqual(['gateway', 'honest']);
  const opened = await anyone().call('/session', { session_id: victim.session_id, node_pubkey: publicKeyOf(victimKey), signatures: signAll(victim) });
  expect(opened.body['proven']).toEqual(expect.arrayContaining(['gateway', 'honest']));
  const quote = await anyone().call('/quote', { session_id: victim.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  const order = await anyone().call('/order', { session_id: victim.session_id, quote_id: quote.body['quote_id'] });
  expect(order.status).toBe(200);
  const offers = await anyone().call('/offers', { session_id: victim.session_id, amount_fiat: 10_000, currency_id: 1, payment_option_id: 1 });
  expect(offers.body['failed']).toEqual([{ provider: { id: 'mallory', name: 'mallory' }, reason: 'malformed', retryable: true }]);

  // Mallory did not get the victim's signature of that token.
  expect(JSON.stringify(sessionsAt('mallory'))).not.toContain(signAll(malloryOwn)['gateway']);
  expect(gateway.logs.map((line) => JSON.parse(line) as object)).toContainEqual(
    expect.objectContaining({ event: 'proof_token_refused', provider: 'mallory', reason: 'names-a-gateway' }),
  );
});

it.each([
  ['inside a sentence', (own: string) => `I confirm my bitcoin wallet. [${own}]`],
  ['in other letters', (own: string) => own.toUpperCase()],
  ['of another gateway', () => 'ramp-gateway:other.example:abcdefghijklmnopqrstuv'],
  ['of the release before', (own: string) => own.slice('ramp-gateway:'.length)],
  ['with a line end', () => 'abc\ndef'],
  ['of 4,000 characters', () => 'a'.repeat(4000)],
  ['a permanent sentence', () => `By_signing_this_message,_you_confirm_that_you_are_the_sole_owner._Your_ID:_LNNID${publicKeyOf(victimKey).toUpperCase()}`],
])('a token %s is not passed on', async (_, made) => {
  const { tokens } = await verify();
  handOut(made(tokens['gateway'] ?? ''));
  expect(Object.keys((await verify()).tokens).sort()).toEqual(['gateway', 'honest']);
});

it('of two providers with one token neither gets a signature', async () => {
  handOut('00112233445566778899');
  handOut('00112233445566778899', 'honest');
  expect(Object.keys((await verify()).tokens)).toEqual(['gateway']);
  handOut(undefined, 'honest');
});

it('a token that the release before passed on leads no signature further; what it began is opened', async () => {
  handOut('harmless-0123456789');
  const begun = await verify();
  const { gateway: core } = gateway.server;
  const idHash = core.hash(begun.session_id);
  const { challenge } = (await core.stores.sessions.find(idHash)) ?? { challenge: '' };
  const place = { table: 'sessions', row: idHash, field: 'challenge' };
  const written = JSON.parse(await core.seal.open(challenge, place)) as { tokens: Record<string, string> };
  const { host } = new URL(core.settings.public_url);
  const tokens = { ...written.tokens, gateway: `${host}:0123456789abcdefghijkl`, mallory: `${host}:abcdefghijkl0123456789` };
  const before = await core.seal.seal(JSON.stringify({ ...written, tokens }), place);
  await gateway.database.sql`update sessions set challenge = ${before} where id_hash = ${idHash}`;
  const opened = await anyone().call('/session', {
    session_id: begun.session_id,
    node_pubkey: publicKeyOf(victimKey),
    signatures: signAll({ ...begun, tokens }),
  });
  expect([opened.status, (opened.body['proven'] as string[]).sort()]).toEqual([200, ['gateway', 'honest']]);
  expect(JSON.stringify(sessionsAt('mallory'))).not.toContain(signNodeMessage(tokens.mallory, victimKey));
});
