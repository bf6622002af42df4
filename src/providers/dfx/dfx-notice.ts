/** DFX's webhooks: one URL for all customers, a static key, no signature. They only say what to read. */
import type { NoticeHint, NoticeReader } from '../spec.ts';
import type { Dfx } from './dfx-api.ts';
import { noticeBody } from './dfx-order-wire.ts';

/** Returns no reader if no key is configured: without a key, anybody's request would be taken for a webhook of DFX. */
export const dfxNotices = ({ deps, settings: { webhook_key_env: name } }: Dfx): { notices?: NoticeReader } => {
  const value = name === undefined ? undefined : deps.secret(name);
  return value === undefined || value === '' ? {} : { notices: { hints: hintsIn, key: { header: 'x-api-key', value } } };
};

/** Returns the order that a notice about a payment names, or else the user. Never throws. The body may hold personal data: nothing else is kept. */
export const hintsIn = (body: string): NoticeHint[] => {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return [];
  }
  const { type, accountId, data } = noticeBody.safeParse(json).data ?? {};
  const uid = data?.orderUid ?? data?.uid;
  if (type === 'Payment' && uid !== undefined) return [{ upstreamOrderId: uid }];
  return accountId === undefined ? [] : [{ userId: String(accountId) }];
};
