/** Maps a bringinLink and its standing order to our connection. Pure. */
import { readBic, readIban } from '../../banking/bank-account.ts';
import { checkPayoutAddress, type BitcoinNetwork } from '../../bitcoin/address.ts';
import { withoutLightningScheme } from '../../bitcoin/bitcoin-uri.ts';
import { defined } from '../../domain/defined.ts';
import type { Json } from '../../domain/offer.ts';
import type { RefusalNote } from '../../domain/refusal.ts';
import type { ConnectionRequest, ConnectionState } from '../spec.ts';
import { readLightningAddress } from './bringin-deposit.ts';
import type { BringinSettings } from './bringin-settings.ts';
import type { LinkReply } from './bringin-wire.ts';

/** Ids that belong to a connection and are never shown to the customer. The standing order's id changes when the connection is confirmed. */
export type ConnectionNotes = { challengeId?: string; standingOrderId?: string; cancel?: { challengeId: string; expiresOn: number } };

export const readConnectionNotes = (upstream: Json): ConnectionNotes => {
  const notes = membersOf(upstream);
  const cancel = membersOf(notes['cancel'] ?? null);
  const [challengeId, standingOrderId, cancelId, expiresOn] = [notes['challengeId'], notes['standingOrderId'], cancel['challengeId'], cancel['expiresOn']];
  return {
    ...(typeof challengeId === 'string' ? { challengeId } : {}),
    ...(typeof standingOrderId === 'string' ? { standingOrderId } : {}),
    ...(typeof cancelId === 'string' && typeof expiresOn === 'number' ? { cancel: { challengeId: cancelId, expiresOn } } : {}),
  };
};
const membersOf = (value: Json): { [key: string]: Json } => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {});

const statuses: { [status: string]: ConnectionState['status'] } = {
  INITIATING: 'initiating',
  PENDING: 'code_required',
  ACTIVE: 'active',
  FAILED: 'failed',
  EXPIRED: 'expired',
  INACTIVE: 'inactive',
  // The status word of a standing order after a cancellation was confirmed. Links may have it, too.
  CANCELLED: 'inactive',
  CANCELED: 'inactive',
};

type Rules = Pick<BringinSettings, 'code_life_s' | 'initiating_timeout_s' | 'lightning_hosts'> & { bitcoin: BitcoinNetwork };

/**
 * Maps a link to our connection. `before` is the connection as it was known. What Bringin does not repeat is taken from `before`, and so are a
 * cancellation that waits for its code, and the status if Bringin's status word is unknown. The code of a creation expires `code_life_s` after the
 * link was created, or earlier if Bringin says so, even if the code was sent again later.
 *
 * Payers use the addresses without an order, so the addresses are checked as for an order: a Lightning address must be on one of Bringin's hosts, and
 * neither address ever changes. As long as Bringin names a bank account other than the requested one, the connection counts as failed, its addresses
 * are `withheld`, and no order uses it. At Bringin it may still be active, and can be cancelled.
 */
export const toConnection = (reply: LinkReply, before: ConnectionState | undefined, now: number, rules: Rules): ConnectionState => {
  const { bringinLink: link, standingOrder } = reply;
  const { cancel, ...earlier } = readConnectionNotes(before?.upstream ?? null);
  const word = statusOf(reply);
  const told = word ?? before?.status ?? 'initiating';
  const createdOn = link.createdAt ?? before?.createdOn;
  const pendingCancel = told === 'active' && cancel !== undefined && cancel.expiresOn > now ? cancel : undefined;
  const compared = compareIbans(before?.iban, reply.destinationIban);
  // Only the right IBAN in full ends the failure. A masked or missing IBAN may still be the other account's.
  const isElsewhere = compared === 'different' || (before?.failure === ibanDiffers && compared !== 'same');
  const isOver = endings.has(told) && !(word === undefined && before?.stillThere === true);
  const status = pendingCancel ? 'code_required' : isElsewhere && !isOver ? 'failed' : told;
  const codeExpiresOn = pendingCancel?.expiresOn ?? codeExpiry(reply, createdOn, rules);
  const late = status === 'initiating' && createdOn !== undefined && now - createdOn > rules.initiating_timeout_s * 1000;
  const failure = isElsewhere ? ibanDiffers : status === 'failed' ? failureOf(reply.error) : late ? 'takes-too-long' : undefined;
  const upstream: ConnectionNotes = {
    ...earlier,
    ...(standingOrder?.id === undefined ? {} : { standingOrderId: standingOrder.id }),
    ...(standingOrder?.challengeId === undefined ? {} : { challengeId: standingOrder.challengeId }),
    ...(pendingCancel ? { cancel: pendingCancel } : {}),
  };
  const iban = isElsewhere || (before?.iban !== undefined && readIban(before.iban) !== undefined) ? before?.iban : (reply.destinationIban ?? before?.iban);
  const known = knownAddresses(before);
  const lightningAddress = isElsewhere ? undefined : (known.lightningAddress ?? safeLightningAddress(reply.lnAddress, rules));
  const depositAddress = isElsewhere ? undefined : (known.depositAddress ?? safeAddress(reply.depositAddress, rules));
  const depositIban = reply.depositIban ?? before?.depositIban;
  return {
    upstreamId: link.id,
    name: link.name === '' ? (before?.name ?? '') : link.name,
    direction: link.type === undefined ? (before?.direction ?? 'sell') : link.type === 'FIAT_TO_CRYPTO' ? 'buy' : 'sell',
    network: link.subtype === undefined ? (before?.network ?? 'onchain') : link.subtype === 'LN' ? 'lightning' : 'onchain',
    status,
    upstream,
    ...(status === 'code_required' && codeExpiresOn !== undefined ? { codeExpiresOn } : {}),
    ...(status === 'code_required' && before?.attemptsLeft !== undefined ? { attemptsLeft: before.attemptsLeft } : {}),
    ...(failure === undefined ? {} : { failure }),
    ...(status === 'failed' && !isOver ? { stillThere: true } : {}),
    ...(lightningAddress === undefined ? {} : { lightningAddress }),
    ...(depositAddress === undefined ? {} : { depositAddress }),
    ...(isElsewhere && Object.keys(known).length > 0 ? { withheld: known } : {}),
    // Not checked: the documentation's own example fails mod 97.
    ...(depositIban === undefined ? {} : { depositIban: ibanOf(depositIban) }),
    ...(iban === undefined ? {} : { iban: ibanOf(iban) }),
    ...(createdOn === undefined ? {} : { createdOn }),
  };
};

/** Returns all known addresses of a connection, including those that are withheld. */
const knownAddresses = (before: ConnectionState | undefined): NonNullable<ConnectionState['withheld']> => {
  const { lightningAddress, depositAddress }: Partial<ConnectionState> = { ...before, ...before?.withheld };
  return defined({ lightningAddress, depositAddress });
};

export const ibanDiffers = 'iban-differs';
/** Compares two IBANs as far as both are shown. `same`: nothing differs, and `told` is shown in full. */
const compareIbans = (known: string | undefined, told: string | undefined): 'same' | 'different' | 'unclear' => {
  const [one, other] = [shownOf(known), shownOf(told)];
  if (!one || !other) return 'unclear';
  const isAlike = (one.head.startsWith(other.head) || other.head.startsWith(one.head)) && (one.tail.endsWith(other.tail) || other.tail.endsWith(one.tail));
  if (!isAlike) return 'different';
  return readIban(told ?? '') === undefined ? 'unclear' : 'same';
};
/** No masked IBAN is longer than this, even with separators. */
const mostShown = 64;
/**
 * Returns how an IBAN begins and ends, as far as that is certainly shown. A valid IBAN is shown in full. An X may belong to a mask, so nothing from
 * the first X to the last one is compared. Undefined for anything that is neither a valid IBAN nor clearly a masked one.
 */
const shownOf = (text: string | undefined): { head: string; tail: string } | undefined => {
  const iban = ibanOf(text);
  if (readIban(iban) !== undefined) return { head: iban, tail: iban };
  if (iban.length > mostShown) return undefined;
  const [, head = '', mask = '', tail = ''] = /^((?:[A-WYZ]{2}\d{2}[A-WYZ\d]*)?)([X*•●·….#_-].*?)([A-WYZ\d]*)$/.exec(iban) ?? [];
  const isMask = /^(?:[X*•●·….#_-]|[A-Z\d])*$/.test(mask) && /[*•●·…#]|X{2}|[._-]{2}/.test(mask);
  return isMask && (tail === '' || /\d/.test(tail)) ? { head, tail } : undefined;
};

const safeLightningAddress = (text: string | undefined, { lightning_hosts: hosts }: Rules): string | undefined => {
  const address = text === undefined ? undefined : withoutLightningScheme(text);
  return address !== undefined && readLightningAddress(address, hosts) ? address : undefined;
};
const safeAddress = (text: string | undefined, { bitcoin }: Rules): string | undefined => {
  const checked = text === undefined ? undefined : checkPayoutAddress(text.trim(), bitcoin);
  return checked && 'address' in checked ? checked.address : undefined;
};

export const isKnownStatus = (status: string): boolean => Object.hasOwn(statuses, statusWord(status));
/** Returns a status word in upper case, with `_` between its parts. */
const statusWord = (status: string): string => status.toUpperCase().replaceAll(/[^A-Z]+/g, '_');

/** Returns whether the link itself is active, whatever bank account it pays. */
export const isActiveLink = (reply: LinkReply): boolean => statusOf(reply) === 'active';

/** Maps the status. A PENDING link without a challenge cannot be confirmed yet, so it is `initiating`. Returns undefined for an unknown word. */
const statusOf = ({ bringinLink, standingOrder }: LinkReply): ConnectionState['status'] | undefined => {
  const word = statusWord(bringinLink.status);
  if (word === 'PENDING' && standingOrder?.challengeId === undefined) return 'initiating';
  return Object.hasOwn(statuses, word) ? statuses[word] : undefined;
};

const codeExpiry = ({ standingOrder }: LinkReply, createdOn: number | undefined, { code_life_s: life }: Rules): number | undefined => {
  const named = standingOrder?.challengeExpiresAt;
  if (createdOn === undefined) return named;
  return Math.min(createdOn + life * 1000, named ?? Infinity);
};

/** Returns a plain code from `error`, or `failed`: the shape of `error` is undocumented, and its text must not be repeated. */
const failureOf = (error: unknown): string => {
  const code: unknown = typeof error === 'object' && error !== null && 'errorCode' in error ? error.errorCode : error;
  return (typeof code === 'string' || typeof code === 'number') && /^[\w-]{1,64}$/.test(String(code)) ? String(code) : 'failed';
};

// ---- creating ------------------------------------------------------------------------------------------------------------------------

const length = (text: string | undefined, min: number, max: number): boolean =>
  text !== undefined && [...text.trim()].length >= min && [...text.trim()].length <= max;

/** Returns the first thing that is wrong with a request, in our own words. Called before anything is sent. */
export const connectionProblem = (request: ConnectionRequest, network: BitcoinNetwork): RefusalNote | undefined => {
  if (!length(request.name, 2, 50)) return 'name-invalid';
  if (request.direction === 'buy') {
    if (request.network === 'lightning') return 'network-unsupported';
    const address = request.destinationAddress ?? '';
    return length(address, 26, 90) && 'address' in checkPayoutAddress(address, network) ? undefined : 'address-invalid';
  }
  if (readIban(request.iban ?? '') === undefined) return 'iban-invalid';
  if (readBic(request.bic ?? '') === undefined) return 'bic-invalid';
  if (!length(request.beneficiaryName, 2, 100)) return 'beneficiary-name-invalid';
  return request.network === 'onchain' || isUsername(request.lightningUsername ?? '') ? undefined : 'username-invalid';
};

/**
 * Returns whether a user name has only letters and digits with single `._/-` between them. The documentation states no length; 64 is the limit of a
 * mailbox.
 */
export const isUsername = (text: string): boolean => text.length <= 64 && /^[a-z0-9]+([._/-][a-z0-9]+)*$/i.test(text);

/** Returns the body of POST /bringin-link. */
export const createBody = (request: ConnectionRequest, settings: Pick<BringinSettings, 'ln_address_form' | 'lightning_hosts'>): Json => {
  const [type, subtype] = wireKind(request);
  const name = request.name.trim();
  if (request.direction === 'buy')
    return { name, type, subtype, destinationAddress: request.destinationAddress ?? '', destinationCurrency: 'BTC', network: 'BTC' };
  const beneficiary = { iban: ibanOf(request.iban), bic: readBic(request.bic ?? '') ?? '', name: (request.beneficiaryName ?? '').trim() };
  if (request.network === 'onchain') return { name, type, subtype, beneficiary, sourceCurrency: 'BTC' };
  const lnAddress = settings.ln_address_form === 'full' ? fullAddress(request, settings) : (request.lightningUsername ?? '').toLowerCase();
  return { name, type, subtype, lnAddress, beneficiary };
};

const wireKind = ({ direction, network }: ConnectionRequest): [type: string, subtype: string] =>
  direction === 'buy' ? ['FIAT_TO_CRYPTO', 'ONCHAIN'] : ['CRYPTO_TO_FIAT', network === 'lightning' ? 'LN' : 'ONCHAIN'];
const fullAddress = (request: ConnectionRequest, { lightning_hosts: [host] }: Pick<BringinSettings, 'lightning_hosts'>): string =>
  `${request.lightningUsername ?? ''}@${host ?? ''}`.toLowerCase();

type Taken = 'name-taken' | 'username-taken';
/** `perhaps`: which name is taken, unless the connection that has the name is the requested one itself. */
export type Existing = { same: LinkReply } | { perhaps: Taken } | 'none' | 'unclear' | Taken;

/**
 * Searches the existing connections for the requested one: by kind, Lightning address and IBAN or, for buying, by the destination address. A
 * connection that is still being made shows neither IBAN nor destination address. If it has the requested name, the result is `unclear`, and a call
 * some seconds later will tell. A connection that is shown in part (with a masked IBAN, for example) may be the requested one as well, if nothing
 * that is shown differs.
 */
export const findExisting = (links: LinkReply[], request: ConnectionRequest, settings: Pick<BringinSettings, 'lightning_hosts'>): Existing => {
  const [type, subtype] = wireKind(request);
  const alike = links.filter(({ bringinLink }) => bringinLink.type === type && bringinLink.subtype === subtype && isLive(bringinLink.status));
  const same = alike.find((link) => describes(link, request, settings));
  if (same) return { same };
  const named = links.find(({ bringinLink }) => isLive(bringinLink.status) && bringinLink.name === request.name.trim());
  if (named && !alike.includes(named)) return 'name-taken';
  if (named && !isDescribed(named)) return 'unclear';
  if (named) return differs(named, request, settings) ? 'name-taken' : { perhaps: 'name-taken' };
  const address = fullAddress(request, settings);
  const addressed = subtype === 'LN' ? alike.filter((link) => link.lnAddress?.toLowerCase() === address) : [];
  if (addressed.length === 0) return 'none';
  const isPerhaps = addressed.some((link) => link.bringinLink.name === '' && !differs(link, request, settings));
  return isPerhaps ? { perhaps: 'username-taken' } : 'username-taken';
};

/** Returns whether a connection may still be in use. One with an unknown status word may be. */
const isLive = (status: string): boolean => !endings.has(statuses[statusWord(status)] ?? 'initiating');
const endings = new Set<ConnectionState['status']>(['failed', 'expired', 'inactive']);
const isDescribed = (link: LinkReply): boolean => (link.bringinLink.type === 'FIAT_TO_CRYPTO' ? link.destinationAddress : link.destinationIban) !== undefined;

const describes = (link: LinkReply, request: ConnectionRequest, settings: Pick<BringinSettings, 'lightning_hosts'>): boolean => {
  if (request.direction === 'buy') return link.destinationAddress !== undefined && link.destinationAddress === request.destinationAddress;
  if (link.destinationIban === undefined || ibanOf(link.destinationIban) !== ibanOf(request.iban)) return false;
  return request.network === 'onchain' || link.lnAddress?.toLowerCase() === fullAddress(request, settings);
};

/** Returns whether anything that a connection shows is certainly not what was requested. */
const differs = (link: LinkReply, request: ConnectionRequest, settings: Pick<BringinSettings, 'lightning_hosts'>): boolean => {
  if (request.direction === 'buy') return link.destinationAddress !== undefined && link.destinationAddress !== request.destinationAddress;
  if (compareIbans(request.iban, link.destinationIban) === 'different') return true;
  return request.network === 'lightning' && link.lnAddress !== undefined && link.lnAddress.toLowerCase() !== fullAddress(request, settings);
};

/** Normalises an IBAN for comparison. Some answers have a masked IBAN, which is only stripped of spaces and put in upper case. */
export const ibanOf = (text = ''): string => readIban(text) ?? text.replace(/\s+/g, '').toUpperCase();
