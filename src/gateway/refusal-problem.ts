import type { Refusal } from '../domain/refusal.ts';
import { Problem, type ProblemCode } from './problem.ts';
import { int } from './outward.ts';

/** The member of the request that a word in `refusal.note` is about. The words are the seam's (providers/spec.ts): every adapter uses them. */
const pointers: Record<string, string> = {
  'email-invalid': '/email',
  'email-refused': '/email',
  'key-invalid': '/api_key',
  'key-refused': '/api_key',
  'name-invalid': '/name',
  'bic-invalid': '/bic',
  'beneficiary-name-invalid': '/beneficiary_name',
  'username-invalid': '/lightning_username',
  'network-unsupported': '/network',
  'connection-refused': '/name',
  'no-code-expected': '/code',
};
const said: Record<string, string> = {
  'email-invalid': 'is not an e-mail address',
  'email-refused': 'is not taken by the provider',
  'key-invalid': 'is not a key of this provider',
  'key-refused': 'is not accepted by the provider',
  'name-invalid': 'is not a name that the provider takes',
  'bic-invalid': 'is not a BIC',
  'beneficiary-name-invalid': 'is not a name that the provider takes',
  'username-invalid': 'is not a user name that the provider takes',
  'network-unsupported': 'is not a network of this provider',
  'connection-refused': 'the provider does not make this connection',
  'no-code-expected': 'nothing waits for a code',
};

const direct: Record<string, [ProblemCode, string]> = {
  'iban-invalid': ['iban-invalid', 'The IBAN is not valid: check its digits.'],
  'address-invalid': ['address-invalid', 'The address is not one of this network.'],
  'connection-name-taken': ['connection-name-taken', 'The account has a connection of this name that is for something else. Choose another name.'],
  'username-taken': ['username-taken', 'This Lightning user name is taken. Choose another.'],
  'connection-not-found': ['connection-not-found', 'The provider does not know this connection any more.'],
  'connection-required': ['connection-required', 'Name the connection to pay into: connection_id.'],
  'connection-unsuitable': ['connection-required', 'This connection is for another network or direction.'],
  'connection-not-active': ['connection-required', 'This connection is not active.'],
  'client-ipv4-required': [
    'client-ipv4-required',
    "The provider wants the customer's own IPv4. Call from it, or send customer_ip with an app key. Nothing was sent.",
  ],
  'code-refused': ['code-wrong', 'The provider did not accept the code.'],
  'invoice-unsuitable': [
    'invoice-unsuitable',
    'Send a BOLT11 invoice of this network, over exactly the amount of the quote, that lives long enough for the order to be paid.',
  ],
  'price-moved': ['price-changed', 'The price rose since the quote. Nothing was bought. Ask for a new quote.'],
};

/** Over what the list says of the code: here waiting does not help, the customer has to act. */
export const forCustomer = { action: 'ask-user', retryable: false } as const;

/** What a provider's refusal is to the caller of a use case (prices show refusals as they are). Nothing upstream changed. */
export const refusalProblem = (refusal: Refusal): Problem => {
  const { reason, note = '', limits, connectTo } = refusal;
  const known = direct[note];
  if (known) return new Problem(known[0], known[1]);
  const pointer = pointers[note];
  if (pointer !== undefined) {
    const detail = said[note] ?? 'is not accepted';
    return new Problem('invalid-request', `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });
  }
  switch (reason) {
    case 'account-required':
      return note === 'needs-reconnect'
        ? new Problem('account-not-connected', 'The provider no longer accepts the account. Connect it again with POST /sell/accounts.', {
            members: forCustomer,
          })
        : new Problem('account-required', 'The customer has no account at this provider. Start one with POST /sell/accounts.');
    case 'below-minimum':
    case 'above-maximum':
    case 'off-step':
      return new Problem('amount-out-of-range', 'The provider does not take this amount.', { members: { limits: shownLimits(limits) } });
    case 'peer-not-connected':
      return new Problem('peer-not-connected', 'The node must be connected to the seller first.', {
        members: connectTo === undefined ? {} : { connect_to: connectTo },
      });
    case 'proof-required':
      return new Problem('proof-required', 'This provider wants the proof of a node key. Open a session with it.');
    case 'kyc-required':
      return new Problem('account-not-connected', 'The provider has to know the customer first.');
    default:
      return new Problem('provider-unavailable', `The provider did not take it: ${reason}${note === '' ? '' : ` (${note})`}. Nothing was changed.`, {
        retryAfterMs: 2000,
      });
  }
};

const shownLimits = (limits: Refusal['limits']): { [name: string]: number } => ({
  ...(limits?.minPay === undefined ? {} : { min_amount_sats: int(limits.minPay) }),
  ...(limits?.maxPay === undefined ? {} : { max_amount_sats: int(limits.maxPay) }),
  ...(limits?.minReceive === undefined ? {} : { min_amount_fiat: int(limits.minReceive) }),
  ...(limits?.maxReceive === undefined ? {} : { max_amount_fiat: int(limits.maxReceive) }),
});
