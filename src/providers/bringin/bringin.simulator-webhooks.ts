import { clock, iso, type Link, type State, type Transaction, type User } from './bringin.simulator-state.ts';

/**
 * Posts JSON to `{callback}{path}`, unsigned like Bringin's webhooks. Retries unless the response is a 2xx. With the option `webhooks`, sends further
 * copies (`duplicates`), holds the webhook back (`hold`), or posts to the callback itself, without the path (`verbatim`).
 */
export const ring = async (state: State, user: User, path: string, body: object): Promise<void> => {
  const { callback } = user;
  if (callback === undefined) return;
  const { duplicates = 0, verbatim = false, hold = false } = state.options.webhooks ?? {};
  const url = verbatim ? callback : `${callback}${path}`;
  const send = async (): Promise<void> => {
    for (let copy = 0; copy <= duplicates; copy += 1) await post(state, url, body);
  };
  if (hold) state.held.push(send);
  else await send();
};

/** Sends the webhooks that were held back, the last one first. */
export const releaseReversed = async (state: State): Promise<void> => {
  const held = state.held.splice(0).toReversed();
  for (const send of held) await send();
};

/** Posts a webhook. Returns after the first attempt; retries follow in the background. */
export const post = async (state: State, url: string, body: object): Promise<void> => {
  if (!(await attempt(state, url, body))) void retry(state, url, body);
};
const attempt = async (state: State, url: string, body: object): Promise<boolean> => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(5000) };
  const sent = await fetch(url, init).catch(() => undefined);
  state.webhooks.push({ at: Date.now(), url, body, status: sent?.status });
  return sent?.ok === true;
};
const retry = async (state: State, url: string, body: object): Promise<void> => {
  for (const delay of state.options.webhookRetryMs ?? [1000, 5000, 30_000]) {
    await new Promise((done) => setTimeout(done, delay).unref());
    if (await attempt(state, url, body)) return;
  }
};

/** The key is spelt `apikey` here and `apiKey` in answers. */
export const verificationBody = (user: User): object => ({ userId: user.id, apikey: user.key, verificationStatus: 'APPROVED', ref: user.ref });
export const connectionBody = (user: User, link: Link): object => ({
  bringinLinkId: link.id,
  direction: link.type,
  status: 'active',
  ref: user.ref,
  ...(link.type === 'FIAT_TO_CRYPTO'
    ? { depositIban: link.depositIban }
    : link.subtype === 'LN'
      ? { lnAddress: link.lnAddress }
      : { depositAddress: link.depositAddress }),
});
export const orderBody = (state: State, user: User, row: Transaction): object => ({
  orderId: row.orderId,
  status: row.status,
  userId: user.id,
  ...(row.sourceId === undefined ? {} : { sourceId: row.sourceId }),
  sourceAmount: row.sourceAmount,
  sourceCurrency: row.sourceCurrency,
  destinationAmount: row.destinationAmount,
  destinationCurrency: row.destinationCurrency,
  price: { price: state.options.bringinPrice ?? '90882.00', currency: 'EUR' },
  timestamp: iso(clock(state)),
});
