/** Connections (bringinLink): a Lightning or on-chain address that pays a bank account, or an IBAN that buys bitcoin. */
import { afterwards, beforehand, ProviderFault } from '../fault.ts';
import { sameId } from '../../domain/same-id.ts';
import type { Answer, CallContext, ConnectionRequest, ConnectionState, SellAdapter } from '../spec.ts';
import * as api from './bringin-api.ts';
import type { Bringin } from './bringin-api.ts';
import {
  ibanOf,
  connectionProblem,
  createBody,
  findExisting,
  ibanDiffers,
  isActiveLink,
  isKnownStatus,
  readConnectionNotes,
  toConnection,
  type ConnectionNotes,
} from './bringin-connection-mapping.ts';
import { declined, KeyRefused, refused, withKey } from './bringin-customer.ts';
import { codeVerdict, linkNote } from './bringin-refusal.ts';
import type { LinkReply } from './bringin-wire.ts';

type Connections = NonNullable<SellAdapter['connections']>;
type Confirmed = Awaited<ReturnType<Connections['confirm']>>;

export const bringinConnections = (bringin: Bringin): Connections => ({
  create: async (context, request) => await withKey(context, (key) => create(bringin, context, key, request)),
  isCode,
  confirm: async (context, connection, code) => await withKey(context, (key) => confirm(bringin, context, key, connection, code)),
  resend: async (context, connection) => await withKey(context, (key) => resend(bringin, context, key, connection)),
  read: async (context, connection) => await withKey(context, (key) => readConnection(bringin, context, key, connection)),
  list: async (context) =>
    await withKey(context, async (key) => ({
      ok: true as const,
      // A connection of an unknown kind is left out, because it cannot be paid.
      value: (await api.listLinks(bringin, context, key))
        .filter(({ bringinLink: { type, subtype } }) => type !== undefined && subtype !== undefined)
        .map((link) => shown(bringin, link, undefined)),
    })),
  cancel: async (context, connection) => await withKey(context, (key) => cancel(bringin, context, key, connection)),
});

const shown = ({ deps, settings }: Bringin, link: LinkReply, before: ConnectionState | undefined): ConnectionState => {
  if (!isKnownStatus(link.bringinLink.status)) deps.log('warn', 'bringin_status_unknown', { of: 'connection' });
  const state = toConnection(link, before, deps.now(), { ...settings, bitcoin: deps.network });
  if (state.failure === ibanDiffers && before?.failure !== ibanDiffers) deps.log('warn', 'bringin_iban_differs', { of: 'connection' });
  return state;
};
const answer = (value: ConnectionState): Answer<ConnectionState> => ({ ok: true, value });
const withNotes = (connection: ConnectionState, notes: ConnectionNotes): ConnectionState => ({
  ...connection,
  upstream: { ...readConnectionNotes(connection.upstream), ...notes },
});

export const readConnection = async (bringin: Bringin, context: CallContext, key: string, before: ConnectionState): Promise<Answer<ConnectionState>> => {
  const read = await readLink(bringin, context, key, before);
  return read.ok ? answer(shown(bringin, read.value, before)) : read;
};

const readLink = async (bringin: Bringin, context: CallContext, key: string, { upstreamId }: ConnectionState): Promise<Answer<LinkReply>> => {
  const reply = await api.getLink(bringin, context, key, upstreamId);
  if (!reply.ok) return declined('connection-not-found');
  if (!sameId(reply.value.bringinLink.id, upstreamId)) throw new ProviderFault('malformed', 'the answer is about another connection', { taken: 'no' });
  return { ok: true, value: reply.value };
};

/**
 * Returns whether the customer asked for the connection so long ago that its code would have expired. Then the request is not sent again, because
 * nobody waits for another code. A listed connection that shows too little to compare then counts as a different one. Otherwise, the request could
 * stay `initiating` for ever.
 */
const isLate = ({ deps, settings }: Bringin, { requestedOn }: CallContext): boolean =>
  requestedOn !== undefined && deps.now() - requestedOn > settings.code_life_s * 1000;

/** Creates a connection. Lists first: an earlier request whose answer was lost may have made the connection, and a second one must not be made. */
const create = async (bringin: Bringin, context: CallContext, key: string, request: ConnectionRequest): Promise<Answer<ConnectionState>> => {
  const { deps, settings } = bringin;
  const problem = connectionProblem(request, deps.network);
  if (problem !== undefined) return declined(problem);
  const existing = await lookUp(bringin, context, key, request);
  if (existing) return existing;
  if (isLate(bringin, context)) return declined('connection-not-found');
  const reply = await api.createLink(bringin, context, key, createBody(request, settings));
  if (reply.ok) {
    const { value } = reply;
    if (value !== 'unread') return answer(shown(bringin, value, asRequested(value, request)));
    return await findAccepted(bringin, context, key, request);
  }
  const note = linkNote(reply.body);
  const isTaken = reply.status === 409 || note === 'username-taken' || note === 'connection-name-taken';
  if (!isTaken) return note === undefined ? refused(reply.body, 'connection-refused') : declined(note);
  // An earlier, delayed request of ours may have made the connection meanwhile.
  return (await afterwards(lookUp(bringin, context, key, request))) ?? declined(note ?? 'connection-name-taken');
};

/**
 * Finds a connection that Bringin accepted in an answer without its id. The list may show it only seconds later, so a failed search is not a refusal:
 * the customer may have been sent a code.
 */
const findAccepted = async (bringin: Bringin, context: CallContext, key: string, request: ConnectionRequest): Promise<Answer<ConnectionState>> => {
  const initiating = { ok: false, refusal: { reason: 'busy', note: 'connection-initiating' } } as const;
  try {
    const found = await afterwards(lookUp(bringin, context, key, request));
    return found?.ok === true ? found : initiating;
  } catch (error) {
    if (error instanceof KeyRefused) return initiating;
    throw error;
  }
};

/** Fills in what the answer to a creation need not repeat. */
const asRequested = ({ bringinLink }: LinkReply, { name, direction, network, iban }: ConnectionRequest): ConnectionState => ({
  upstreamId: bringinLink.id,
  name: name.trim(),
  direction,
  network,
  status: 'initiating',
  upstream: {},
  ...(iban === undefined ? {} : { iban: ibanOf(iban) }),
});

/**
 * Returns the requested connection if it exists, a refusal if it may exist or its name is taken, or undefined if it can be created. A connection that
 * shows too little to tell can be the requested one only if the request may have been sent before, and not too long ago (isLate).
 */
const lookUp = async (bringin: Bringin, context: CallContext, key: string, request: ConnectionRequest): Promise<Answer<ConnectionState> | undefined> => {
  const existing = findExisting(await api.listLinks(bringin, context, key), request, bringin.settings);
  if (existing === 'none') return undefined;
  if (typeof existing === 'object' && 'same' in existing) return answer(shown(bringin, existing.same, undefined));
  const isPerhaps = existing === 'unclear' || (typeof existing === 'object' && (context.attempt ?? 1) > 1);
  if (isPerhaps && !isLate(bringin, context)) return { ok: false, refusal: { reason: 'busy', note: 'connection-initiating' } };
  const taken = typeof existing === 'object' ? existing.perhaps : existing;
  return declined(taken === 'username-taken' ? taken : 'connection-name-taken');
};

const isCode = (text: string): boolean => /^\d{6}$/.test(text.trim());

/** Confirms the step that waits for a code: the creation or the cancellation. A connection that would pay another bank account is not confirmed. */
const confirm = async (bringin: Bringin, context: CallContext, key: string, connection: ConnectionState, code: string): Promise<Confirmed> => {
  const { cancel: pendingCancel, challengeId, standingOrderId } = readConnectionNotes(connection.upstream);
  if (!isCode(code)) return wrongCode(connection);
  const verificationCode = code.trim();
  if (pendingCancel && standingOrderId !== undefined) {
    const reply = await api.confirmCancel(bringin, context, key, standingOrderId, { challengeId: pendingCancel.challengeId, verificationCode });
    return reply.ok ? answer(ended(connection)) : await judgeRefusal(bringin, context, key, connection, { ...reply, wanted: 'inactive' });
  }
  if (challengeId === undefined || connection.status === 'failed') return declined('no-code-expected');
  const reply = await api.confirmLink(bringin, context, key, { challengeId, verificationCode });
  if (!reply.ok) return await judgeRefusal(bringin, context, key, connection, { ...reply, wanted: 'active' });
  // From here on the standing order has a new id, which is needed to cancel the connection.
  const { id } = reply.value;
  const active = withNotes({ ...connection, status: 'active' }, id === undefined ? {} : { standingOrderId: id });
  return await readAfter(bringin, context, key, active);
};

/** Reads the connection after a step. The step is already done, so if the read fails, returns the connection as it was given (`done`). */
const readAfter = async (bringin: Bringin, context: CallContext, key: string, done: ConnectionState): Promise<Answer<ConnectionState>> => {
  try {
    const read = await readConnection(bringin, context, key, done);
    return read.ok ? read : answer(done);
  } catch (error) {
    if (error instanceof ProviderFault || error instanceof KeyRefused) return answer(done);
    throw error;
  }
};

/**
 * Judges a refused confirmation. An earlier confirmation whose answer was lost may have used the code; then the connection is already in the wanted
 * state.
 */
const judgeRefusal = async (
  bringin: Bringin,
  context: CallContext,
  key: string,
  connection: ConnectionState,
  { status, body, wanted }: { status: number; body: unknown; wanted: 'active' | 'inactive' },
): Promise<Confirmed> => {
  const read = await afterwards(readConnection(bringin, context, key, connection));
  if (!read.ok) return read;
  if (read.value.status === wanted) return read;
  const { code_expired_statuses: expired, code_wrong_statuses: wrong } = bringin.settings;
  const verdict = codeVerdict(body) ?? (expired.includes(status) ? 'expired' : wrong.includes(status) ? 'wrong' : undefined);
  if (read.value.status !== 'code_required' || verdict === 'expired') return { ok: 'code-expired' };
  return verdict === 'wrong' ? wrongCode(read.value, 1) : declined('code-refused');
};
/**
 * Reports a wrong code. Bringin states how many tries are left only after a resend. From then on, the number is stored with the connection, and each
 * code that is sent to Bringin uses up one try (`used`).
 */
const wrongCode = ({ attemptsLeft }: ConnectionState, used = 0): Confirmed => ({
  ok: 'code-wrong',
  ...(attemptsLeft === undefined ? {} : { attemptsLeft: Math.max(0, attemptsLeft - used) }),
});

const ended = (connection: ConnectionState): ConnectionState => {
  const { codeExpiresOn: _code, attemptsLeft: _attempts, stillThere: _there, ...rest } = connection;
  const { cancel: _cancel, ...notes } = readConnectionNotes(connection.upstream);
  return { ...rest, status: 'inactive', upstream: notes };
};

/** Asks for a new code. A resend may change the challenge, but not its expiry. */
const resend = async (bringin: Bringin, context: CallContext, key: string, connection: ConnectionState): Promise<Answer<ConnectionState>> => {
  const read = await beforehand(readConnection(bringin, context, key, connection));
  if (!read.ok || read.value.status !== 'code_required') return read;
  const { cancel: pendingCancel, challengeId } = readConnectionNotes(read.value.upstream);
  // Bringin documents no resend for a cancel: requesting the cancel again sends a new code.
  if (pendingCancel) return await sendCancel(bringin, context, key, read.value);
  // The tries are counted for the connection, not for the code: a new code would be refused too.
  if (read.value.attemptsLeft === 0) return read;
  const reply = await api.resendCode(bringin, context, key, challengeId ?? '');
  if (!reply.ok) return declined('resend-refused');
  const { attempts, challengeId: newChallenge } = reply.value;
  const counted = { ...read.value, ...(attempts === undefined ? {} : { attemptsLeft: attempts }) };
  return answer(newChallenge === undefined ? counted : withNotes(counted, { challengeId: newChallenge }));
};

/**
 * Cancels a connection. Reads it first, since the standing order's id changed at confirmation. An ended connection counts as cancelled. One that
 * counts as failed only because it pays another bank account is cancelled like any other, since otherwise it would go on paying that account.
 */
const cancel = async (bringin: Bringin, context: CallContext, key: string, connection: ConnectionState): Promise<Answer<ConnectionState>> => {
  const link = await beforehand(readLink(bringin, context, key, connection));
  if (!link.ok) return link;
  const state = shown(bringin, link.value, connection);
  const { status, upstream, stillThere } = state;
  if (status === 'inactive' || status === 'expired' || (status === 'failed' && stillThere !== true)) return answer(state);
  if (status === 'code_required' && readConnectionNotes(upstream).cancel) return answer(state);
  // There is nothing to cancel yet. A connection that is not confirmed expires by itself.
  if (status !== 'active' && !isActiveLink(link.value)) return { ok: false, refusal: { reason: 'busy', note: 'connection-not-active' } };
  return await sendCancel(bringin, context, key, state);
};

const sendCancel = async (bringin: Bringin, context: CallContext, key: string, connection: ConnectionState): Promise<Answer<ConnectionState>> => {
  const { standingOrderId } = readConnectionNotes(connection.upstream);
  if (standingOrderId === undefined) throw new ProviderFault('malformed', 'the connection is active, but has no standing order', { taken: 'no' });
  const reply = await api.cancelOrder(bringin, context, key, standingOrderId);
  if (!reply.ok) {
    const read = await readConnection(bringin, context, key, connection);
    return !read.ok || read.value.status === 'inactive' ? read : declined('cancel-refused');
  }
  if (reply.value.immediate === true) return answer(ended(connection));
  if (reply.value.challengeId === undefined) {
    const read = await readAfter(bringin, context, key, connection);
    if (read.ok && read.value.status === 'inactive') return read;
    throw new ProviderFault('malformed', 'the cancellation is neither done nor waiting for a code');
  }
  const expiresOn = bringin.deps.now() + bringin.settings.code_life_s * 1000;
  const { stillThere: _there, ...waiting } = connection;
  return answer(withNotes({ ...waiting, status: 'code_required', codeExpiresOn: expiresOn }, { cancel: { challengeId: reply.value.challengeId, expiresOn } }));
};
