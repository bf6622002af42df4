/** The client's names for members of the API. Any other member of a request has the same name in camelCase. */
const names: Readonly<Record<string, string>> = {
  webhook_url: 'webhook',
  recovery_secret: 'recovery secret',
  payment_option_id: 'by',
  quote_id: 'offer',
  connection_id: 'connection',
  min_amount_sats: 'atLeast',
  min_amount_fiat: 'atLeast',
  max_amount_fiat: 'atMost',
  max_pay_sats: 'atMost',
  failback_onchain: 'fallback',
  refund_onchain: 'refundAddress',
};
const amounts = (path: string): [fiat: string, sats: string] =>
  path.startsWith('/sell') ? ['get', 'pay'] : path.startsWith('/liq') ? ['sats', 'sats'] : ['pay', 'get'];

/** Rewrites the gateway's sentence about a request with the client's names. */
export const inOwnWords = (sentence: string, path: string, body: object): string => {
  const [amount_fiat, amount_sats] = amounts(path);
  const known: typeof names = { amount_fiat, amount_sats, ...names };
  return sentence.replace(/[a-z]+(_[a-z]+)+/g, (word) => known[word] ?? (word in body ? word.replace(/_./g, ([, letter = '']) => letter.toUpperCase()) : word));
};
