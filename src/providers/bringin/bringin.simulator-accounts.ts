import { createHash, createHmac } from 'node:crypto';
import { bareKey, clock, errorReply, newUser, steps, type State, type User } from './bringin.simulator-state.ts';
import { ring, verificationBody } from './bringin.simulator-webhooks.ts';

const toleranceMs = 5 * 60_000;
const md5 = (text: string): string => createHash('md5').update(text, 'utf8').digest('hex');

/**
 * Checks a signature under the strictest reading: the raw body and its compact form must have the same hash, and the clocks must agree within five
 * minutes.
 */
export const isSigned = (state: State, authorization: string | undefined, method: string, path: string, raw: string): boolean => {
  const [, ts, signature] = /^HMAC (\d{13}):([0-9a-f]{64})$/.exec(authorization ?? '') ?? [];
  if (ts === undefined || Math.abs(clock(state) - Number(ts)) > toleranceMs) return false;
  const hash = md5(raw);
  if (hash !== md5(JSON.stringify(JSON.parse(raw)))) return false;
  return signature === createHmac('sha256', state.options.apiSecret).update(`${ts}${method}${path}${hash}`).digest('hex');
};

export const isMaster = (state: State, key: string): boolean => bareKey(key) === bareKey(state.options.masterKey);
export const userByKey = (state: State, key: string): User | undefined =>
  [...state.users.values()].find((user) => user.connected && bareKey(user.key) === bareKey(key));

const signupUrl = (origin: string, user: User): string => `${origin}/signup?inviteId=${user.inviteId}`;

export const connect = async (state: State, origin: string, body: { [name: string]: unknown }): Promise<Response> => {
  const { email, callback, ref } = body;
  if (typeof email !== 'string' || !/^\S+@\S+\.\S+$/.test(email)) return errorReply(state, 400, 'email must be an email');
  const user = state.users.get(email) ?? newUser(email, state.options);
  state.users.set(email, user);
  if (typeof callback === 'string') user.callback = callback;
  if (typeof ref === 'string') user.ref = ref;
  const older = state.options.connectDialect === 'sw-1';
  const answer = (status: string, rest: object): Response =>
    Response.json(older ? rest : { status, ...rest }, { status: older && status !== 'pending' ? 409 : 200 });
  if (user.step === 'rejected') return answer('rejected', { userRegistered: true, isUserConnected: false });
  if (user.connected) return answer('connected', { userRegistered: true, isUserConnected: true, apiKey: user.key, ...(older ? { userId: user.id } : {}) });
  if (state.options.autoConnectMs !== undefined) state.later(state.options.autoConnectMs, async () => await finish(state, user));
  if (user.step === 'approved') {
    state.mails.push({ to: email, about: 'consent' });
    return answer('pending', { userRegistered: true, isUserConnected: false });
  }
  state.mails.push({ to: email, about: 'signup' });
  return answer('onboarding', { userRegistered: false, isUserConnected: false, signupURL: signupUrl(origin, user) });
};

export const connectStatus = (state: State, email: string | undefined): Response => {
  const user = state.users.get(email ?? '');
  if (!user) return errorReply(state, 400, 'unknown email');
  if (user.step === 'rejected') return Response.json({ status: 'rejected' });
  if (user.connected) return Response.json({ status: 'connected', apiKey: user.key });
  return Response.json({ status: user.step === 'approved' ? 'pending' : 'onboarding' });
};

/** Moves a user on: signed up → e-mail verified → documents sent → approved. The user is connected at the last step. */
export const advanceKyc = async (state: State, user: User): Promise<void> => {
  const at = user.step === undefined ? -1 : steps.indexOf(user.step);
  user.step = steps[at + 1] ?? 'approved';
  if (user.step === 'approved') await connected(state, user);
};
export const connected = async (state: State, user: User): Promise<void> => {
  user.connected = true;
  user.consent = true;
  await ring(state, user, '/verification-status', verificationBody(user));
};
const finish = async (state: State, user: User): Promise<void> => {
  while (!user.connected && user.step !== 'approved') await advanceKyc(state, user);
  if (!user.connected) await connected(state, user);
};

/** Returns the page behind the link in a person's e-mail. */
export const signupPage = (state: State, inviteId: string | undefined): Response => {
  const user = [...state.users.values()].find((one) => one.inviteId === inviteId);
  if (!user) return new Response('This invitation is not valid.\n', { status: 404 });
  return new Response(`Signup of ${user.email} at ${new Date(clock(state)).toISOString()}: ${user.step ?? 'not begun'}. This is a simulation.\n`);
};
