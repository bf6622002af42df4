import { openState } from '../upstream/connection-state.ts';
import { maskIban } from '../../banking/bank-account.ts';
import type { AccountRequest, AccountState, ConnectionRequest } from '../../providers/spec.ts';
import type { Account, Connection } from '../../ports/accounts.ts';
import { connectionRequestPlace, signupPlace } from '../places.ts';
import { defect } from '../../ports/defect.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { isoTime } from '../outward.ts';
import { defined } from '../../domain/defined.ts';

/** What the customer said about themselves when they started the account. */
export type Told = Omit<AccountRequest, 'ref' | 'noticeUrl'>;
/**
 * What an account keeps sealed: until the provider has answered, what the customer told us; then what the provider said about signing up; and always
 * how many codes were sent and tried. The release before this one knows only `email`, `signupUrl` and `mailSent`.
 */
export type Signup = Told & Pick<AccountState, 'signupUrl' | 'mailSent' | 'needs' | 'termsUrl' | 'codeSentBy' | 'codeExpiresOn' | 'attemptsLeft'> & CodeCounts;
/** Returns what the customer told us. This is empty once the provider has answered. */
export const toldOf = ({ email, phone, payoutTo, termsAccepted }: Signup): Told => defined({ email, phone, payoutTo, termsAccepted });
/** `codesSince`: when the counted hour began. `codeTries`: wrong codes, and codes whose outcome is unknown, since the last code was sent. */
export type CodeCounts = { codesSince?: number; codesSent?: number; codeTries?: number };

export const openSignup = async (gateway: Gateway, account: Account): Promise<Signup> =>
  account.signup === undefined ? {} : (JSON.parse(await gateway.seal.open(account.signup, signupPlace(account.id))) as Signup);
/**
 * Returns how many codes were sent and tried. The counts are kept when an account is removed, so that starting it again does not allow more codes.
 */
export const openCounts = async (gateway: Gateway, account: Account): Promise<CodeCounts> => {
  const { codesSince, codesSent, codeTries } = await openSignup(gateway, account);
  return defined({ codesSince, codesSent, codeTries });
};
export const sealSignup = async (gateway: Gateway, accountId: string, signup: Signup): Promise<string | undefined> =>
  Object.keys(signup).length === 0 ? undefined : await gateway.seal.seal(JSON.stringify(signup), signupPlace(accountId));

export const openRequest = async (gateway: Gateway, connection: Connection): Promise<ConnectionRequest> =>
  JSON.parse(await gateway.seal.open(connection.request, connectionRequestPlace(connection.id))) as ConnectionRequest;
/** Shows an account with its connections under the API's names. */
export const showAccount = async (gateway: Gateway, account: Account, connections: Connection[]) => {
  const { signupUrl, mailSent, needs = [], termsUrl, codeSentBy, codeExpiresOn, attemptsLeft } = await openSignup(gateway, account);
  // If the provider already knows a customer, it asks for consent by e-mail: the account is pending, and there is no signup page.
  const waits = account.status === 'onboarding' || account.status === 'pending';
  return {
    account_id: account.id,
    provider: account.providerId,
    account_status: account.status,
    account_status_date: isoTime(account.statusOn),
    ...(signupUrl === undefined || account.status !== 'onboarding' ? {} : { signup_url: signupUrl }),
    ...(mailSent === undefined || !waits ? {} : { mail_sent: mailSent }),
    ...(needs.length === 0 ? {} : { needs }),
    ...(needs.includes('terms_accepted') ? defined({ terms_url: termsUrl }) : {}),
    ...(needs.includes('code')
      ? defined({ code_sent_by: codeSentBy, code_expires_on: codeExpiresOn === undefined ? undefined : isoTime(codeExpiresOn), attempts_left: attemptsLeft })
      : {}),
    connections: await showConnections(gateway, connections),
    ...(account.nextCheckOn === undefined || account.status === 'connected' ? {} : { next_check_on: isoTime(account.nextCheckOn) }),
  };
};

/** Shows connections. One that cannot be unsealed is left out and logged, and the others are still shown. */
export const showConnections = async (gateway: Gateway, connections: Connection[]): Promise<ShownConnection[]> => {
  const shown = connections.map(async (connection) => {
    try {
      return [await showConnection(gateway, connection)];
    } catch (error) {
      defect(gateway.log, 'show_connection', error, { subject: connection.id });
      return [];
    }
  });
  return (await Promise.all(shown)).flat();
};

/** Shows a connection without the provider's own ids. */
export const showConnection = async (gateway: Gateway, connection: Connection) => {
  const request = await openRequest(gateway, connection);
  const state = await openState(gateway, connection);
  const iban = request.iban ?? state?.iban;
  const waits = connection.status === 'code_required';
  return {
    connection_id: connection.id,
    account_id: connection.accountId,
    name: request.name,
    direction: connection.direction,
    network: connection.network,
    connection_status: connection.status,
    connection_status_date: isoTime(connection.statusOn),
    ...(waits && state?.codeExpiresOn !== undefined ? { code_expires_on: isoTime(state.codeExpiresOn) } : {}),
    ...(waits && state?.attemptsLeft !== undefined ? { attempts_left: state.attemptsLeft } : {}),
    ...defined({
      failure: state?.failure,
      lightning_address: state?.lightningAddress,
      deposit_address: state?.depositAddress,
      deposit_iban: state?.depositIban,
    }),
    ...(iban === undefined ? {} : { iban_masked: maskIban(iban) }),
  };
};

export type ShownAccount = Awaited<ReturnType<typeof showAccount>>;
export type ShownConnection = Awaited<ReturnType<typeof showConnection>>;
