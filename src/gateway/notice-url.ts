import type { Gateway } from '../ports/gateway.ts';

/** What a notice is about: a placing, or an account. */
export type NoticePurpose = 'order' | 'account';
/** Whose notice it is, what it is about, and the token that only who was told the URL can know. */
export type NoticePath = { providerId: string; purpose: string; targetId: string; token: string };

/** Where a provider rings for one placing or account. */
export const noticeUrl = ({ settings, notices }: Pick<Gateway, 'settings' | 'notices'>, providerId: string, purpose: NoticePurpose, targetId: string): string =>
  `${settings.public_url}/notices/${providerId}/${purpose}/${targetId}/${notices.token(purpose, targetId)}`;

/** Providers may append an event path to the URL they were given; it is not looked at. */
const form = /^\/notices\/([\w-]{1,64})\/([a-z-]{1,32})\/([\w-]{1,64})\/([\w-]{20,64})(?:\/[\w/-]{0,64})?$/;

/** Reads what noticeUrl wrote. */
export const readNoticePath = (path: string): NoticePath | undefined => {
  const [, providerId, purpose, targetId, token] = form.exec(path) ?? [];
  if (providerId === undefined || purpose === undefined || targetId === undefined || token === undefined) return undefined;
  return { providerId, purpose, targetId, token };
};
