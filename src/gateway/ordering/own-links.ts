import { customerLink, customerText } from '../../domain/links.ts';
import type { PaymentInfo } from '../../providers/spec.ts';

/**
 * Returns a fiat provider's payment instructions with links in canonical form and texts without invisible marks. Returns undefined if a link, a text
 * or the name of a text must not be shown: the provider chooses the names, too. Instructions of other kinds pass unchanged, because their adapters
 * have checked them.
 */
export const withOwnLinks = (info: PaymentInfo, hosts: readonly string[], sandbox: boolean): PaymentInfo | undefined => {
  if (info.kind !== 'fiat') return info;
  const paymentUrl = info.paymentUrl === undefined ? undefined : customerLink(info.paymentUrl, hosts, sandbox);
  if (info.paymentUrl !== undefined && paymentUrl === undefined) return undefined;
  const texts = Object.entries(info.paymentDetails ?? {}).map(([key, value]) => [key, customerText(value, hosts, sandbox)] as const);
  if (texts.some(([key, text]) => text === undefined || customerText(key, hosts, sandbox) === undefined)) return undefined;
  const shown = texts.flatMap(([key, text]) => (text === undefined || text === '' ? [] : [[key, text] as const]));
  return {
    kind: 'fiat',
    ...(paymentUrl === undefined ? {} : { paymentUrl }),
    ...(shown.length === 0 ? {} : { paymentDetails: Object.fromEntries(shown) }),
  };
};
