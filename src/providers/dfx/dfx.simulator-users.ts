/** Login and identity at the simulated DFX. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isCustodial, isSignedByNode } from './dfx.simulator-address.ts';
import { shown, hundredths } from './dfx.simulator-amounts.ts';
import { refuse, randomHex, randomText, type Account, type Books, type User } from './dfx.simulator-books.ts';
import { readLogin, readText } from './dfx.simulator-request.ts';
import { limitOf, volumeOf } from './dfx.simulator-rules.ts';
import { tellAccount } from './dfx.simulator-webhooks.ts';

const dayMs = 86_400_000;
const mailForm = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

// ---- tokens ----------------------------------------------------------------------------------------------------------------------------

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const sealOf = ({ options }: Books, text: string): Buffer => createHmac('sha256', `dfx simulator ${options.id}`).update(text).digest();

export const newToken = (books: Books, user: User, ip: string): string => {
  const { now, jwtLifeMs } = books.options;
  const iat = Math.floor(now() / 1000);
  const claims = { user: user.id, address: user.address, account: user.account.id, role: 'User', blockchains: ['Lightning'], ip };
  const text = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded({ ...claims, iat, exp: iat + Math.floor(jwtLifeMs / 1000) })}`;
  return `${text}.${sealOf(books, text).toString('base64url')}`;
};

/**
 * Returns the user of an `authorization` header, or undefined if the token is not ours, has expired, or names somebody unknown. `isMerged`: the
 * token's account has since become part of another account.
 */
export const holderOf = (books: Books, authorization: string | undefined): { user: User; isMerged: boolean } | undefined => {
  const [, head, body, seal] = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(authorization ?? '') ?? [];
  if (head === undefined || body === undefined || seal === undefined) return undefined;
  const [given, wanted] = [Buffer.from(seal, 'base64url'), sealOf(books, `${head}.${body}`)];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { user: number; account: number; exp: number };
  const user = claims.exp * 1000 > books.options.now() ? books.users.find(({ id }) => id === claims.user) : undefined;
  return user && { user, isMerged: user.account.id !== claims.account };
};

/** The answer to a token whose account became part of another account. UNKNOWN in the docs: the names of the members. */
export const mergedAnswer = (into: Account): Response =>
  Response.json({ statusCode: 401, message: 'Account is merged', error: 'Unauthorized', switchToCode: into.kycHash }, { status: 401 });

// ---- signing in and up -----------------------------------------------------------------------------------------------------------------

const newAccount = (books: Books): Account => ({
  id: books.nextId('account'),
  kycHash: randomHex(books, 16),
  mail: undefined,
  pending: undefined,
  approved: false,
  level: 0,
  dataComplete: false,
  instantAllowed: false,
  transferSeen: false,
  blocked: false,
  name: undefined,
  country: undefined,
  nationality: undefined,
});

/**
 * Counts a call from this network in `calls`. Returns false, and does not count the call, if the network has already made `most` calls in the last
 * `windowMs`.
 */
const isWithin = (calls: Books['signUps'], { now, network }: { now: number; network: string }, most: number, windowMs: number): boolean => {
  if (calls.filter((call) => call.network === network && call.at > now - windowMs).length >= most) return false;
  calls.push({ at: now, network });
  return true;
};
const tooMany = (): Response => refuse(429, 'ThrottlerException: Too Many Requests');

export type Caller = { ip: string };
/** The limits count per IPv4 /24. */
const networkOf = ({ ip }: Caller): string => ip.split('.').slice(0, 3).join('.');

export type LoginVia = 'auth' | 'signUp' | 'signIn';
/**
 * The first custodial secret of an address is not checked but kept, and every later one must equal it. A node's signature always opens the account of
 * the node's own address, whatever credential registered the address.
 */
export const login = async (books: Books, via: LoginVia, body: unknown, caller: Caller): Promise<Response> => {
  const request = readLogin(body);
  if (Array.isArray(request)) return refuse(400, request);
  const { address, signature, wallet, recommendationCode } = request;
  const { options } = books;
  const invalid = refuse(401, 'Invalid credentials');
  const known = books.users.find((user) => user.address === address);
  if (known ? via === 'signUp' : via === 'signIn') return known ? refuse(409, 'User already exists') : refuse(404, 'User not found');
  const mayOpen = isCustodial(signature) ? known === undefined || known.secret === signature : await isSignedByNode(address, signature, options.stage);
  if (!mayOpen) return invalid;
  let user = known;
  if (!user) {
    const counts = via === 'signUp' || options.signUpLimitOn === 'any';
    const at = { now: options.now(), network: networkOf(caller) };
    if (counts && !isWithin(books.signUps, at, options.signUpLimit, dayMs)) return tooMany();
    user = { id: books.nextId('user'), address, secret: signature, wallet, account: newAccount(books) };
    books.users.push(user);
    books.accounts.push(user.account);
  }
  if (recommendationCode !== undefined && options.recommendationCodes.includes(recommendationCode)) user.account.approved = true;
  return Response.json({ accessToken: newToken(books, user, caller.ip) }, { status: 201 });
};

// ---- the account -----------------------------------------------------------------------------------------------------------------------

export const accountAnswer = (books: Books, user: User): object => {
  const { account } = user;
  const { limit, period } = limitOf(books, account);
  const remaining = Math.max(0, limit - volumeOf(books, account));
  const addresses = books.users
    .filter((one) => one.account === account)
    .map(({ address, wallet }) => ({ address, wallet: wallet ?? 'DFX', blockchains: ['Lightning'], isCustody: false }));
  return {
    accountId: account.id,
    ...(account.mail === undefined ? {} : { mail: account.mail }),
    kyc: { hash: account.kycHash, level: account.level, dataComplete: account.dataComplete },
    tradingLimit: { limit: shown(hundredths(limit)), remaining: shown(hundredths(remaining)), period },
    addresses,
    activeAddress: addresses.find(({ address }) => address === user.address),
  };
};

export const setMail = (books: Books, user: User, body: unknown, caller: Caller): Response => {
  const { options } = books;
  if (!isWithin(books.mailChanges, { now: options.now(), network: networkOf(caller) }, 10, 60_000)) return tooMany();
  const read = readText(body, 'mail', mailForm);
  if (Array.isArray(read)) return refuse(400, read);
  const mail = read.value;
  const other = books.accounts.find((account) => account.mail === mail && account !== user.account);
  if (other) {
    if (options.mailOfAnother === 'conflict') return refuse(409, 'Account already exists');
    merge(books, user.account, other);
    return mergedAnswer(other);
  }
  const needsCode = options.mailCode === 'always' || (options.mailCode === 'change' && user.account.mail !== undefined);
  if (!needsCode) {
    confirmMail(books, user.account, mail);
    return Response.json(accountAnswer(books, user));
  }
  const code = randomText(books, 6, 'reference');
  user.account.pending = { mail, code };
  books.mails.push({ to: mail, code });
  return new Response(null, { status: 202 });
};

export const verifyMail = (books: Books, user: User, body: unknown, caller: Caller): Response => {
  if (!isWithin(books.mailChanges, { now: books.options.now(), network: networkOf(caller) }, 10, 60_000)) return tooMany();
  const read = readText(body, 'token', /^.+$/);
  if (Array.isArray(read)) return refuse(400, read);
  const { pending } = user.account;
  if (!pending || pending.code !== read.value) return refuse(403, 'Invalid or expired mail verification token');
  user.account.pending = undefined;
  confirmMail(books, user.account, pending.mail);
  return Response.json(accountAnswer(books, user));
};

const confirmMail = (books: Books, account: Account, mail: string): void => {
  account.mail = mail;
  if (account.level === 0) account.level = 10;
  approveLater(books, account);
};

/** Moves the users of `account` to `into`. Endpoints that need a user then refuse the tokens that name the old account. */
export const merge = (books: Books, account: Account, into: Account): void => {
  for (const user of books.users) if (user.account === account) user.account = into;
  books.accounts.splice(books.accounts.indexOf(account), 1);
  void tellAccount(books, into, 'AccountChanged');
};

// ---- what the person and DFX do --------------------------------------------------------------------------------------------------------

/** The customer fills in the whole page, and DFX approves. */
export const approve = async (books: Books, account: Account): Promise<void> => {
  account.mail ??= `customer-${account.id}@example.com`;
  account.name ??= 'Alice Example';
  Object.assign(account, { approved: true, dataComplete: true, level: 50 });
  await tellAccount(books, account, 'KycChanged');
};
const approveLater = (books: Books, account: Account): void => {
  const { autoApproveMs } = books.options;
  if (autoApproveMs !== undefined) books.later(autoApproveMs, async () => await approve(books, account));
};

/** The page where a customer is identified. Its link holds a token or the account's code: either way, it is a bearer link. */
export const kycPage = (books: Books, session: string | undefined, code: string | undefined): Response => {
  const account = session === undefined ? books.accounts.find(({ kycHash }) => kycHash === code) : holderOf(books, `Bearer ${session}`)?.user.account;
  if (!account) return new Response('This link is not valid.\n', { status: 401 });
  approveLater(books, account);
  return new Response(`Identification of account ${account.id}: level ${account.level}. This is a simulation.\n`);
};
