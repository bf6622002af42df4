import type { State } from './bitrefill.simulator-state.ts';

/** Posts the finished order, unsigned like Bitrefill's webhook: once, unless the option `webhooks` says never, three times or later. */
export const ring = async (state: State, url: string | undefined, body: object): Promise<void> => {
  const { deliveries = 1, delayMs = 0 } = state.options.webhooks ?? {};
  if (url === undefined) return;
  const send = async (): Promise<void> => {
    for (let copy = 0; copy < deliveries; copy += 1) await post(state, url, body);
  };
  if (delayMs > 0) setTimeout(() => void send(), delayMs).unref();
  else await send();
};

export const post = async (state: State, url: string, body: object): Promise<void> => {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(5000) };
  const sent = await fetch(url, init).catch(() => undefined);
  state.webhooks.push({ url, body, status: sent?.status });
};
