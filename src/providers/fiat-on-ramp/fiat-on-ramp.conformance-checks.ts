/**
 * Every check of the conformance kit, with the clause of FLS01 v1.0 that it rests on. Where the standard is silent or contradicts itself, the check
 * is advice.
 */
import type { CheckKind, ConformanceCheck, Flaw } from '../kit/kind.conformance.ts';

const kinds = {
  'transport-https': ['all', 'advice', 'The address is https', 'sessions are bearer secrets; the standard does not mention transport security'],
  'transport-status': ['all', 'must', 'An answer comes with status 200 and without a redirect', 'OpenAPI: 200 is the only answer described'],
  'transport-json': ['all', 'must', 'An answer is JSON of type application/json', 'OpenAPI: answers are application/json'],
  'refusal-status': ['all', 'must', 'A refusal is not sent with status 200', 'OpenAPI: 200 is “Successful response”, of the described form'],
  'refusal-form': ['all', 'advice', 'A refusal is a 4xx with a JSON object', 'the standard does not describe errors; RFC 9110 15.5 and RFC 9457 do'],
  'endpoint-names': ['all', 'must', 'The endpoints have the names of the standard', 'table of endpoints (text of the standard)'],
  'features-answer': ['/features', 'must', 'The answer has the members of the standard', '/features, answer (OpenAPI)'],
  'features-agree': [
    '/features',
    'advice',
    'The flags quotes and estimates match the prices that are returned',
    '/features, quotes and estimates; /quote, is_estimate (text of the standard)',
  ],
  'verify-answer': ['/verify', 'must', 'The answer has the members of the standard', '/verify, answer (text and OpenAPI of the standard)'],
  'verify-fresh': [
    '/verify',
    'must',
    'Each call returns a new session and a new token',
    '/verify: session_id identifies the client session; token is a random string (text of the standard)',
  ],
  'session-opens': [
    '/session',
    'must',
    'The token, signed by a node key, opens the session; without a token, any signature does',
    '/session, request, signature (text and OpenAPI of the standard)',
  ],
  'session-answer': ['/session', 'must', 'The answer has the members of the standard', '/session, answer (text and OpenAPI of the standard)'],
  'session-proof': [
    '/session',
    'must',
    'A signature by another key, or a string that is not a signature, is refused',
    '/session: the token is signed by the node’s private key (text and OpenAPI of the standard)',
  ],
  'session-unknown': ['/session', 'must', 'A session_id that was never issued is refused', '/session, request, session_id (text and OpenAPI of the standard)'],
  'options-answer': ['/payment-options', 'must', 'The answer has the members of the standard', '/payment-options, answer (text and OpenAPI of the standard)'],
  'options-listed': [
    '/payment-options',
    'must',
    'At least one option is listed',
    '/payment-options: supported currencies and their options (text of the standard)',
  ],
  'options-filter': [
    '/payment-options',
    'must',
    'currency_code, in upper or lower case, selects only that currency',
    '/payment-options, request, currency_code (text and OpenAPI of the standard)',
  ],
  'options-unknown': [
    '/payment-options',
    'advice',
    'A currency that is not offered returns an empty list',
    '/payment-options, request, currency_code: the standard does not say what an unknown one returns',
  ],
  'options-stable': [
    '/payment-options',
    'must',
    'Two readings of the listing have the same ids',
    '/quote, request: the ids are those of /payment-options (text of the standard)',
  ],
  'quote-price': [
    '/quote',
    'must',
    'Every listed option returns a price for an amount of fiat',
    '/quote, request, payment_option_id: one of /payment-options (text of the standard)',
  ],
  'quote-sats': ['/quote', 'must', 'An amount of sats returns a price', '/quote, request, amount_sats (text and OpenAPI of the standard)'],
  'quote-answer': ['/quote', 'must', 'The answer has the members of the standard', '/quote, answer (text and OpenAPI of the standard)'],
  'quote-echo': ['/quote', 'must', 'The price is for the requested amount, currency and option', '/quote, answer (text of the standard)'],
  'quote-figures': [
    '/quote',
    'advice',
    'Amounts, price and fee agree with one another, and the fee with fee_rate',
    '/quote, btc_price and order_fee; the standard does not say whether amount_fiat includes the fee',
  ],
  'quote-fresh': ['/quote', 'must', 'Every quote has an id of its own', '/quote, answer, quote_id: the id of this quote (text of the standard)'],
  'quote-limits': [
    '/quote',
    'must',
    'Amounts outside min_amount and max_amount are refused',
    '/payment-options, min_amount and max_amount (text of the standard)',
  ],
  'quote-refuses': [
    '/quote',
    'must',
    'A request with no amount or two amounts, or for an unknown option or session, returns no price',
    '/quote, request (OpenAPI: oneOf, required)',
  ],
  'quote-in-time': ['/quote', 'advice', 'A price arrives within the time that a gateway waits', 'the standard states no time'],
  'status-list': [
    '/order-status',
    'must',
    'Without order_id, the answer is a map of this session’s orders by id',
    '/order-status, request, order_id; answer (text and OpenAPI of the standard)',
  ],
  'status-unknown': ['/order-status', 'must', 'An order_id that was never issued returns no order', '/order-status, answer (text and OpenAPI of the standard)'],
  'order-answer': ['/order', 'must', 'The answer has the members of the standard', '/order, answer (text and OpenAPI of the standard)'],
  'order-as-quoted': ['/order', 'must', 'The order is what was quoted', '/order: confirms an order from a quote (OpenAPI)'],
  'order-payable': [
    '/order',
    'must',
    'payment_info says how to pay',
    '/order, answer, payment_info: payment_url, payment_details or both (text of the standard)',
  ],
  'order-repeat': ['/order', 'advice', 'The same quote sent twice makes one order', 'the standard does not say what a second /order does'],
  'order-unknown': ['/order', 'must', 'A quote_id that was never issued makes no order', '/order, request, quote_id (text of the standard)'],
  'status-answer': [
    '/order-status',
    'must',
    'The order is found by its id, with the members of the standard',
    '/order-status, answer (text and OpenAPI of the standard)',
  ],
  'status-own': ['/order-status', 'must', 'Another session does not see the order', '/order-status: orders belonging to the user (text of the standard)'],
  'withdrawal-early': [
    '/withdrawal',
    'must',
    'An unpaid order returns no link',
    '/order-status, order_status: filled is when the user can withdraw (text of the standard)',
  ],
} as const satisfies Record<string, readonly [string, CheckKind['level'], string, string]>;
export type CheckId = keyof typeof kinds;

const needsOrder: readonly CheckId[] = [
  'order-answer',
  'order-as-quoted',
  'order-payable',
  'order-repeat',
  'order-unknown',
  'status-answer',
  'status-own',
  'withdrawal-early',
];
/** The most flaws that a report lists per check, because people read the report. */
const mostSeen = 12;

export type Tally = {
  held: (id: CheckId) => void;
  /** Records a flaw. `clause`: the place in the standard, if it is more exact than the check's own clause. */
  broken: (id: CheckId, what: string, clause?: string) => void;
  flaws: (id: CheckId, found: readonly Flaw[]) => void;
  /** Records that the check held, or the flaw if `isRight` is false. */
  judge: (id: CheckId, isRight: boolean, what: string, clause?: string) => void;
  result: (ordered: boolean, stopped: string | undefined) => ConformanceCheck[];
};

export const createTally = (): Tally => {
  const tried = new Map<CheckId, Flaw[]>();
  const of = (id: CheckId): Flaw[] => {
    const known = tried.get(id) ?? [];
    tried.set(id, known);
    return known;
  };
  const broken: Tally['broken'] = (id, what, clause = kinds[id][3]) => {
    const seen = of(id);
    if (seen.length < mostSeen && !seen.some((one) => one.what === what)) seen.push({ what, clause });
  };
  return {
    held: (id) => void of(id),
    broken,
    flaws: (id, found) => {
      of(id);
      for (const { what, clause } of found) broken(id, what, clause);
    },
    judge: (id, isRight, what, clause) => (isRight ? void of(id) : broken(id, what, clause)),
    result: (ordered, stopped) =>
      (Object.entries(kinds) as [CheckId, (typeof kinds)[CheckId]][]).map(([id, [endpoint, level, title, clause]]) => {
        const seen = tried.get(id);
        const check = { id, endpoint, level, title, clause, seen: seen ?? [] };
        if (seen) return { ...check, outcome: seen.length === 0 ? 'held' : level === 'must' ? 'deviation' : 'advice' };
        const because = needsOrder.includes(id) && !ordered ? 'an order is made only with --order' : (stopped ?? 'there was nothing to try it on');
        return { ...check, outcome: 'not-tried', because };
      }),
  };
};
