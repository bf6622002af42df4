import type { Gateway } from '../ports/gateway.ts';

/** What a notice is about: an order attempt or an account. */
export type NoticePurpose = 'order' | 'account';
/** The provider, what the notice is about, and the token. Only the provider that got the URL knows the right token. */
export type NoticePath = { providerId: string; purpose: string; targetId: string; token: string };

/** Returns the URL for a provider's notices about one order attempt or account. */
export const noticeUrl = ({ settings, notices }: Pick<Gateway, 'settings' | 'notices'>, providerId: string, purpose: NoticePurpose, targetId: string): string =>
  `${settings.public_url}/notices/${providerId}/${purpose}/${targetId}/${notices.token(purpose, targetId)}`;

/** Providers may append an event path to the URL; we ignore it. */
const form = /^\/notices\/([\w-]{1,64})\/([a-z-]{1,32})\/([\w-]{1,64})\/([\w-]{20,64})(?:\/[\w/-]{0,64})?$/;

/** Reads what noticeUrl wrote. */
export const readNoticePath = (path: string): NoticePath | undefined => {
  const [, providerId, purpose, targetId, token] = form.exec(path) ?? [];
  if (providerId === undefined || purpose === undefined || targetId === undefined || token === undefined) return undefined;
  return { providerId, purpose, targetId, token };
};
