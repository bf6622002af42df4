import { randomInt, randomUUID } from 'node:crypto';
import { readIban } from '../../banking/bank-account.ts';
import { newAddress } from './bringin.simulator-money.ts';
import { clock, errorReply, iso, newId, type Challenge, type Link, type StandingOrder, type State, type User } from './bringin.simulator-state.ts';
import { connectionBody, ring } from './bringin.simulator-webhooks.ts';

const codeLifeMs = 30 * 60_000;
const live = new Set(['INITIATING', 'PENDING', 'ACTIVE']);
const networks: { [currency: string]: string[] } = { BTC: ['BTC'], ETH: ['ETH'], USDC: ['USDC', 'POLYGON'], USDT: ['USDT', 'ETH'], POL: ['POL', 'POLYGON'] };

type Body = { [name: string]: unknown };
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export const domainOf = (state: State): string => state.options.lightningDomain ?? 'dev.bringin.xyz';

/** Returns 202 at once; the standing order is made in the background. */
export const createLink = (state: State, user: User, body: Body): Response => {
  const [name, type, subtype] = [textOf(body['name']), textOf(body['type']), textOf(body['subtype'])];
  if (name.length < 2 || name.length > 50) return errorReply(state, 400, 'name must have 2 to 50 characters');
  const isBuy = type === 'FIAT_TO_CRYPTO';
  if (!isBuy && type !== 'CRYPTO_TO_FIAT') return errorReply(state, 400, 'type');
  if (subtype !== 'ONCHAIN' && !(subtype === 'LN' && !isBuy)) return errorReply(state, 400, 'subtype');
  const beneficiary = (typeof body['beneficiary'] === 'object' ? body['beneficiary'] : {}) as Body;
  const iban = textOf(beneficiary['iban']);
  if (!isBuy && (readIban(iban) === undefined || textOf(beneficiary['bic']) === '' || textOf(beneficiary['name']).length < 2))
    return errorReply(state, 400, 'beneficiary');
  const currency = textOf(body['destinationCurrency']) || 'BTC';
  if (isBuy && !networks[currency]?.includes(textOf(body['network']))) return errorReply(state, 400, 'wrong pair', 'INVALID_CURRENCY_NETWORK_COMBINATION');
  const destinationAddress = textOf(body['destinationAddress']);
  if (isBuy && (destinationAddress.length < 26 || destinationAddress.length > 90)) return errorReply(state, 400, 'destinationAddress');
  const lnAddress = subtype === 'LN' ? normalised(state, textOf(body['lnAddress'])) : undefined;
  if (subtype === 'LN' && lnAddress === undefined) return errorReply(state, 400, 'lnAddress');
  if (user.links.some((link) => link.name === name && live.has(link.status))) return errorReply(state, 409, 'a connection with this name exists', '10409');
  if (lnAddress !== undefined && isTaken(state, user, lnAddress, iban)) return errorReply(state, 409, 'lnAddress is taken', '10410');
  const now = clock(state);
  const link: Link = {
    id: newId(state.options),
    name,
    type: isBuy ? 'FIAT_TO_CRYPTO' : 'CRYPTO_TO_FIAT',
    subtype,
    status: 'INITIATING',
    createdAt: now,
    updatedAt: now,
    readyOn: now + (state.options.linkMs ?? 20),
    iban: isBuy ? undefined : iban,
    lnAddress,
    depositAddress: isBuy || subtype === 'LN' ? undefined : newAddress(state),
    depositIban: isBuy ? 'LT61 3250 0467 2289 5172' : undefined,
    destinationAddress: isBuy ? destinationAddress : undefined,
    standingOrder: undefined,
  };
  user.links.push(link);
  return Response.json(bare(link), { status: 202 });
};

/** Normalises a Lightning address. The documentation shows requests with the full address and with the name alone. */
const normalised = (state: State, text: string): string | undefined => {
  const [name = '', domain = domainOf(state)] = text.toLowerCase().split('@');
  return /^[a-z0-9]+([._/-][a-z0-9]+)*$/.test(name) && domain === domainOf(state) ? `${name}@${domain}` : undefined;
};
const isTaken = (state: State, user: User, lnAddress: string, iban: string): boolean =>
  [...state.users.values()].some((other) =>
    other.links.some((link) => link.lnAddress === lnAddress && live.has(link.status) && (other !== user || link.iban !== iban)),
  );

/** Does the background work of a link, when it is read. */
const settle = (state: State, user: User, link: Link): Link => {
  const now = clock(state);
  if (link.status === 'INITIATING' && now >= link.readyOn) ready(state, user, link, now);
  if (link.status === 'PENDING' && now >= link.createdAt + codeLifeMs) link.status = 'EXPIRED';
  return link;
};

const ready = (state: State, user: User, link: Link, now: number): void => {
  const shared = user.links.find(
    (other) => other !== link && other.lnAddress === link.lnAddress && other.iban === link.iban && other.standingOrder?.status === 'ACTIVE',
  )?.standingOrder;
  const forced = state.nextLink;
  state.nextLink = undefined;
  link.updatedAt = now;
  link.status = forced ?? (shared ? 'ACTIVE' : 'PENDING');
  if (link.status === 'FAILED' || link.status === 'INITIATING') return;
  const isActive = link.status === 'ACTIVE';
  const id = isActive ? newId(state.options) : `pending_${randomUUID().slice(0, 6)}`;
  link.standingOrder = shared ?? { id, status: isActive ? 'ACTIVE' : 'PENDING_CONFIRMATION', foreignLinks: 0, createdAt: now, updatedAt: now };
  if (isActive) void ring(state, user, '/connection-status', connectionBody(user, link));
  else newChallenge(state, user, link, 'create', link.createdAt + codeLifeMs, 0);
};

const newChallenge = (state: State, user: User, link: Link, purpose: Challenge['for'], expiresOn: number, wrong: number): Challenge => {
  const challenge = { id: newId(state.options), link, for: purpose, wrong, expiresOn };
  state.challenges.set(challenge.id, challenge);
  state.texts.push({ to: user.email, challengeId: challenge.id });
  return challenge;
};
const challengeOf = (state: State, link: Link, purpose: Challenge['for']): Challenge | undefined =>
  [...state.challenges.values()].find((one) => one.link === link && one.for === purpose);

const bare = (link: Link): object => ({
  bringinLink: {
    id: link.id,
    name: link.name,
    type: link.type,
    subtype: link.subtype,
    status: link.status,
    createdAt: iso(link.createdAt),
    updatedAt: iso(link.updatedAt),
  },
});
const orderShape = (state: State, link: Link, order: StandingOrder): object => {
  const challenge = order.status === 'PENDING_CONFIRMATION' ? challengeOf(state, link, 'create') : undefined;
  return {
    id: order.id,
    status: order.status,
    direction: link.type,
    sourceCurrency: link.type === 'FIAT_TO_CRYPTO' ? 'EUR' : 'BTC',
    destinationCurrency: link.type === 'FIAT_TO_CRYPTO' ? 'BTC' : 'EUR',
    percentFeeBps: '150',
    ...(challenge ? { challengeId: challenge.id, challengeExpiresAt: iso(challenge.expiresOn) } : {}),
    createdAt: iso(order.createdAt),
    updatedAt: iso(order.updatedAt),
  };
};
const shape = (state: State, link: Link): object => {
  const { standingOrder: order } = link;
  const context =
    link.type === 'FIAT_TO_CRYPTO'
      ? { depositIban: link.depositIban, destinationAddress: link.destinationAddress }
      : { ...(link.subtype === 'LN' ? { lnAddress: link.lnAddress } : { depositAddress: link.depositAddress }), destinationIban: link.iban };
  return {
    ...bare(link),
    standingOrder: order ? orderShape(state, link, order) : null,
    ...(order ? context : {}),
    ...(link.status === 'FAILED' ? { error: { errorCode: 'STANDING_ORDER_FAILED', message: 'could not be made' } } : {}),
  };
};

export const getLink = (state: State, user: User, id: string): Response => {
  const link = user.links.find((one) => one.id === id);
  return link ? Response.json(shape(state, settle(state, user, link))) : errorReply(state, 404, 'no such link');
};
/** Lists the links, newest first, without ended ones. */
export const listLinks = (state: State, user: User): Response =>
  Response.json(
    user.links
      .map((link) => settle(state, user, link))
      .filter((link) => live.has(link.status))
      .toReversed()
      .map((link) => shape(state, link)),
  );

/** Returns the challenge if the code is right, else the answer that says why not. */
const checkCode = (state: State, user: User, body: Body, purpose: Challenge['for']): Challenge | Response => {
  const challenge = state.challenges.get(textOf(body['challengeId']));
  if (!challenge || challenge.for !== purpose || !user.links.includes(challenge.link)) return errorReply(state, 404, 'no such challenge', '10404');
  if (clock(state) >= challenge.expiresOn || challenge.wrong >= (state.options.codeAttempts ?? 3))
    return errorReply(state, 409, 'the challenge has expired', '10411');
  if (body['verificationCode'] === (state.options.code ?? '123456')) return challenge;
  challenge.wrong += 1;
  return errorReply(state, 400, 'wrong code', '10400');
};

export const confirmLink = (state: State, user: User, body: Body): Response => {
  const challenge = checkCode(state, user, body, 'create');
  if (challenge instanceof Response) return challenge;
  const { link } = challenge;
  const order = link.standingOrder;
  if (!order) return errorReply(state, 409, 'no standing order');
  const now = clock(state);
  state.challenges.delete(challenge.id);
  Object.assign(order, { id: newId(state.options), status: 'ACTIVE', updatedAt: now });
  Object.assign(link, { status: 'ACTIVE', updatedAt: now });
  void ring(state, user, '/connection-status', connectionBody(user, link));
  const shown = orderShape(state, link, order);
  return Response.json(state.options.linkDialect === 'older' ? { standingOrder: shown } : shown);
};

/** Makes a new challenge with the same expiry. */
export const resendCode = (state: State, user: User, body: Body): Response => {
  const challenge = state.challenges.get(textOf(body['challengeId']));
  if (!challenge || !user.links.includes(challenge.link)) return errorReply(state, 404, 'no such challenge', '10404');
  if (clock(state) >= challenge.expiresOn) return errorReply(state, 409, 'the challenge has expired', '10411');
  state.challenges.delete(challenge.id);
  const fresh = newChallenge(state, user, challenge.link, challenge.for, challenge.expiresOn, challenge.wrong);
  if (state.options.linkDialect === 'older') return Response.json({ challengeId: fresh.id });
  return Response.json({ challengeId: fresh.id, dateExpires: iso(fresh.expiresOn), attempts: (state.options.codeAttempts ?? 3) - fresh.wrong });
};

const linkOf = (user: User, standingOrderId: string): Link | undefined =>
  user.links.find((link) => link.standingOrder?.id === standingOrderId && link.status === 'ACTIVE');

/** Cancels at once if other applications also use the standing order (a soft cancel); else sends a code. */
export const cancel = (state: State, user: User, standingOrderId: string): Response => {
  const link = linkOf(user, standingOrderId);
  if (!link?.standingOrder) return errorReply(state, 404, 'no such standing order', '10404');
  if (link.standingOrder.foreignLinks > 0) {
    link.status = 'INACTIVE';
    return Response.json({ immediate: true });
  }
  const earlier = challengeOf(state, link, 'cancel');
  if (earlier) state.challenges.delete(earlier.id);
  return Response.json({ challengeId: newChallenge(state, user, link, 'cancel', clock(state) + codeLifeMs, 0).id });
};

export const confirmCancel = (state: State, user: User, standingOrderId: string, body: Body): Response => {
  const challenge = checkCode(state, user, body, 'cancel');
  if (challenge instanceof Response) return challenge;
  const order = challenge.link.standingOrder;
  if (order?.id !== standingOrderId) return errorReply(state, 404, 'no such standing order', '10404');
  state.challenges.delete(challenge.id);
  Object.assign(order, { status: 'CANCELLED', updatedAt: clock(state) });
  for (const link of user.links) if (link.standingOrder === order) link.status = 'INACTIVE';
  return Response.json(orderShape(state, challenge.link, order));
};

/**
 * Adds another application's link for this Lightning address and IBAN. Our next link for the same two needs no code, and is cancelled without one.
 */
export const shareWallet = (state: State, user: User, lnAddress: string, iban: string): void => {
  const now = clock(state);
  const standingOrder: StandingOrder = { id: randomUUID(), status: 'ACTIVE', foreignLinks: 1, createdAt: now, updatedAt: now };
  const name = `another app ${randomInt(1e6)}`;
  const rest = {
    type: 'CRYPTO_TO_FIAT',
    subtype: 'LN',
    createdAt: now,
    updatedAt: now,
    readyOn: now,
    depositAddress: undefined,
    depositIban: undefined,
    destinationAddress: undefined,
  } as const;
  user.links.push({ id: randomUUID(), name, status: 'FOREIGN', iban, lnAddress, standingOrder, ...rest });
};
