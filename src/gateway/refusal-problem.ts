import { amountNames, type Ramp } from '../domain/ramp.ts';
import type { Refusal, RefusalNote, RefusalReason } from '../domain/refusal.ts';
import { Problem, type ProblemCode, type ProblemMore } from './problem.ts';
import { limit } from './outward.ts';

/** Overrides the code's usual action: waiting does not help here, because the customer must act. */
export const forCustomer = { action: 'ask-user', retryable: false } as const;

type Told = [code: ProblemCode, detail: string, more?: ProblemMore];
/** How a refusal is shown to the caller: as a problem, or as an error in a member of the request. */
type Outward = Told | { pointer: string; detail: string };

const byNote: Record<RefusalNote, Outward | 'as its reason'> = {
  'email-invalid': { pointer: '/email', detail: 'is not an e-mail address' },
  'email-refused': { pointer: '/email', detail: 'is not accepted by the provider' },
  'key-invalid': { pointer: '/api_key', detail: 'is not a key of this provider' },
  'key-refused': { pointer: '/api_key', detail: 'is not accepted by the provider' },
  'key-of-another': {
    pointer: '/api_key',
    detail: 'belongs to a different user at this provider than the account does; remove the account with POST /account-remove first',
  },
  'phone-refused': { pointer: '/phone', detail: 'is not accepted by the provider' },
  'payout-refused': { pointer: '/payout_to', detail: 'is not accepted by the provider' },
  'address-known': {
    pointer: '/payout_to',
    detail: 'is already registered with the provider, but not through this gateway; the customer can use the provider directly, or name another address here',
  },
  'name-invalid': { pointer: '/name', detail: 'is not a name that the provider accepts' },
  'bic-invalid': { pointer: '/bic', detail: 'is not a BIC' },
  'beneficiary-name-invalid': { pointer: '/beneficiary_name', detail: 'is not a name that the provider accepts' },
  'username-invalid': { pointer: '/lightning_username', detail: 'is not a user name that the provider accepts' },
  'network-unsupported': { pointer: '/network', detail: 'is not a network of this provider' },
  'connection-refused': { pointer: '/name', detail: 'the provider does not make this connection' },
  'no-code-expected': { pointer: '/code', detail: 'this connection is not waiting for a code' },
  'refund-address-required': { pointer: '/refund_onchain', detail: 'is needed to pay on-chain' },
  'iban-invalid': ['iban-invalid', 'The IBAN is not valid: check the digits.'],
  'address-invalid': ['address-invalid', 'The address is not on this network.'],
  'connection-name-taken': ['connection-name-taken', 'The account already has another connection with this name. Choose another name.'],
  'username-taken': ['username-taken', 'This Lightning user name is taken. Choose another name.'],
  'connection-not-found': ['connection-not-found', 'The provider no longer knows this connection.'],
  'connection-required': ['connection-required', 'Send connection_id, the connection to the bank account that is to be paid.'],
  'connection-unsuitable': ['connection-required', 'This connection is for another network or direction.'],
  'connection-not-active': ['connection-required', 'This connection is not active.'],
  'connection-initiating': [
    'connection-required',
    'The connection is still being made. Repeat the same request in a moment.',
    { retryAfterMs: 2000, members: { action: 'retry', retryable: true } },
  ],
  'address-not-payable': ['connection-required', 'The Lightning address of this connection cannot be paid. Choose another connection.'],
  'client-ipv4-required': [
    'client-ipv4-required',
    "The provider needs the customer's own IPv4 address. Call from it, or send customer_ip with an app key. Nothing was sent.",
  ],
  'code-refused': ['code-wrong', 'The provider did not accept the code.'],
  'resend-refused': [
    'code-expired',
    'The provider sends no more codes for this connection. Use the code that was sent. Once the connection has expired, request it again with POST /sell/connections.',
  ],
  'cancel-refused': [
    'cancel-refused',
    'The provider refused to cancel the connection, so it stays as it was. The customer can cancel it directly with the provider.',
  ],
  'invoice-unsuitable': [
    'invoice-unsuitable',
    'Send a BOLT11 invoice on this network, for exactly the amount of the quote, that stays valid until the order can be paid.',
  ],
  'price-moved': ['price-changed', 'The price has risen since the quote. Nothing was bought. Ask for a new quote.'],
  'amount-crowded': [
    'amount-in-use',
    'In the last few minutes, the account has had too many payments of exactly this amount. A payment for this order could not be told apart from them. Change the amount, or order again in 15 minutes.',
    { members: { order_ids: [] } },
  ],
  'attempts-used': ['order-unpayable', 'This order was tried as often as the provider allows. There is nothing to pay. Ask for a new quote.'],
  'reservation-ended': ['quote-expired', 'The order reserved for this quote has expired. Ask for a new quote.'],
  'out-of-stock': ['order-unpayable', 'The provider has sold out. Nothing was bought. Ask for a new quote.'],
  'not-on-sale': ['order-unpayable', 'The provider no longer sells this. Nothing was bought. Ask for a new quote.'],
  'node-not-listed': ['order-unpayable', 'This seller serves listed nodes only, and the node is not one of them. Choose another offer.'],
  'needs-reconnect': ['account-not-connected', 'The provider no longer accepts the account. Reconnect it with POST /accounts.', { members: forCustomer }],
  'token-refused': ['misconfigured', "The provider does not accept the gateway's credentials. The operator must fix this. Nothing was changed."],
  // Only the answer to a price request can have this note, and that answer shows the reason.
  'proof-not-configured': 'as its reason',
  // A refused read of orders is never shown: the gateway uses what it already knows.
  'orders-not-listed': 'as its reason',
  // The provider gave a reason of its own, about which we know nothing more. It may refuse only this time.
  'order-refused': 'as its reason',
  'address-refused': 'as its reason',
};

/**
 * Returns the problem for the caller when a provider refuses. Price answers do not use this: they show refusals as they are. `ramp` decides under
 * which names the limits are shown.
 */
export const refusalProblem = (refusal: Refusal, ramp: Ramp = 'sell'): Problem => {
  const outward = refusal.note === undefined ? 'as its reason' : byNote[refusal.note];
  const said = outward === 'as its reason' ? byReason[refusal.reason](refusal, ramp) : outward;
  const [code, detail, more = {}]: Told = Array.isArray(said) ? said : ['invalid-request', `${said.pointer}: ${said.detail}`, { errors: [said] }];
  const { actionUrl } = refusal;
  return new Problem(code, detail, actionUrl === undefined ? more : { ...more, members: { ...more.members, ...forCustomer, action_url: actionUrl } });
};

const outOfRange = ({ limits }: Refusal, ramp: Ramp): Outward => [
  'amount-out-of-range',
  'The provider does not accept this amount.',
  { members: { limits: shownLimits(limits, ramp) } },
];
/** Returns the problem for a refusal after which the provider may accept the same request another time. */
const notTaken = ({ reason, note, detail }: Refusal): Outward => {
  const more = [note, detail].filter((part) => part !== undefined).join(': ');
  return [
    'provider-unavailable',
    `The provider refused the request: ${reason}${more === '' ? '' : ` (${more})`}. Nothing was changed.`,
    { retryAfterMs: 2000 },
  ];
};
/** Returns the problem for a request that would be refused again: only another quote helps. */
const notSold = ({ reason }: Refusal): Outward => ['order-unpayable', `The provider does not offer this: ${reason}. Nothing was changed. Ask for a new quote.`];

const byReason: Record<RefusalReason, (refusal: Refusal, ramp: Ramp) => Outward> = {
  'account-required': () => ['account-required', 'The customer has no account at this provider. Start one with POST /accounts.'],
  'below-minimum': outOfRange,
  'above-maximum': outOfRange,
  'off-step': outOfRange,
  'peer-not-connected': ({ connectTo }) => [
    'peer-not-connected',
    'The node must be connected to the seller first.',
    { members: connectTo === undefined ? {} : { connect_to: connectTo } },
  ],
  'proof-required': () => ['proof-required', 'This provider demands proof of a node key. Open a session that proves one.'],
  // A wallet that does not know `action_url` can still tell the customer what to do.
  'kyc-required': ({ limits }, ramp) => [
    'account-not-connected',
    'The provider must verify the customer first. They can do that on the page at action_url if there is one, or directly with the provider. Nothing was ordered.',
    { members: { ...forCustomer, ...(limits === undefined ? {} : { limits: shownLimits(limits, ramp) }) } },
  ],
  'currency-unsupported': notSold,
  'option-unsupported': notSold,
  'country-restricted': notSold,
  'lease-unsupported': notSold,
  'payment-method-unsupported': notSold,
  'payout-required': notSold,
  'payout-unsupported': notSold,
  'price-needs-order': notSold,
  'fee-unresolved': notSold,
  busy: notTaken,
  declined: notTaken,
  'order-pending': notTaken,
  'quota-used': notTaken,
};

const shownLimits = (limits: Refusal['limits'], ramp: Ramp): { [name: string]: number } => {
  const { pay, receive } = amountNames[ramp];
  return {
    ...limit(`min_${pay}`, limits?.minPay),
    ...limit(`max_${pay}`, limits?.maxPay),
    ...limit(`min_${receive}`, limits?.minReceive),
    ...limit(`max_${receive}`, limits?.maxReceive),
  };
};
