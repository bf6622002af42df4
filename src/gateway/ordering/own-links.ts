import { customerLink, customerText } from '../../domain/links.ts';
import type { PaymentInfo } from '../../providers/spec.ts';

/**
 * A fiat provider's payment instructions with every link in its canonical form and every text without marks that nobody sees. Undefined when a
 * link in them, at whatever place, is not the provider's own. The other kinds were judged by their adapters.
 */
export const withOwnLinks = (info: PaymentInfo, hosts: readonly string[], sandbox: boolean): PaymentInfo | undefined => {
  if (info.kind !== 'fiat') return info;
  const paymentUrl = info.paymentUrl === undefined ? undefined : customerLink(info.paymentUrl, hosts, sandbox);
  if (info.paymentUrl !== undefined && paymentUrl === undefined) return undefined;
  const texts = Object.entries(info.paymentDetails ?? {}).map(([key, value]) => [key, customerText(value, hosts, sandbox)] as const);
  if (texts.some(([, text]) => text === undefined)) return undefined;
  const shown = texts.flatMap(([key, text]) => (text === undefined || text === '' ? [] : [[key, text] as const]));
  return {
    kind: 'fiat',
    ...(paymentUrl === undefined ? {} : { paymentUrl }),
    ...(shown.length === 0 ? {} : { paymentDetails: Object.fromEntries(shown) }),
  };
};
