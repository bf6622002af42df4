import { canonicalId } from '../domain/same-id.ts';
import type { Gateway } from '../ports/gateway.ts';

/** What a notice is about: an order attempt, an account, or anything at a provider that sends all its notices to one URL. */
export type NoticePurpose = 'order' | 'account' | 'provider';
type UrlParts = { settings: Pick<Gateway['settings'], 'public_url'>; notices: Pick<Gateway['notices'], 'token'> };
/** The provider, what the notice is about, and the token. Only the provider that got the URL knows the right token. */
export type NoticePath = { providerId: string; purpose: string; targetId: string; token: string };

/** Returns the URL for a provider's notices. `targetId`: the id of the order attempt, account or provider. */
export const noticeUrl = ({ settings, notices }: UrlParts, providerId: string, purpose: NoticePurpose, targetId: string): string =>
  `${settings.public_url}/notices/${providerId}/${purpose}/${targetId}/${notices.token(purpose, targetId)}`;

/** Providers may append an event path to the URL; we ignore it. */
const form = /^\/notices\/([\w-]{1,64})\/([a-z-]{1,32})\/([\w-]{1,64})\/([\w-]{20,64})(?:\/[\w/-]{0,64})?$/;

/** Reads what noticeUrl wrote. */
export const readNoticePath = (path: string): NoticePath | undefined => {
  const [, providerId, purpose, targetId, token] = form.exec(path) ?? [];
  if (providerId === undefined || purpose === undefined || targetId === undefined || token === undefined) return undefined;
  return { providerId, purpose, targetId, token };
};

/** Returns the target id for a notice about an order that is unknown here, perhaps because it is still being placed. */
export const unknownOrder = ({ hash }: Pick<Gateway, 'hash'>, providerId: string, upstreamOrderId: string): string =>
  hash(`order at ${providerId}: ${canonicalId(upstreamOrderId)}`);
