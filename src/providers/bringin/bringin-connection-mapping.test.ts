import { describe, expect, test } from 'vitest';
import type { ConnectionRequest, ConnectionState } from '../spec.ts';
import { connectionProblem, createBody, findExisting, isUsername, readConnectionNotes, toConnection } from './bringin-connection-mapping.ts';
import type { LinkReply } from './bringin-wire.ts';
import { linkReply } from './bringin-wire.ts';

const createdAt = '2026-11-21T10:00:00.000Z';
const createdOn = Date.parse(createdAt);
const rules = { code_life_s: 1_800, initiating_timeout_s: 60, lightning_hosts: ['bringin.xyz'], bitcoin: 'regtest' as const };
const settings = { ln_address_form: 'full' as const, lightning_hosts: ['bringin.xyz', 'other.example'] };
const iban = 'DE89370400440532013000';
const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

const link = (status: string, more: object = {}, of: object = {}): LinkReply =>
  linkReply.parse({
    bringinLink: { id: 'l-1', name: 'Savings', type: 'CRYPTO_TO_FIAT', subtype: 'LN', status, createdAt, updatedAt: createdAt, ...of },
    ...more,
  });
const pending = { id: 'pending_abc123', status: 'PENDING_CONFIRMATION', challengeId: 'c-1', challengeExpiresAt: '2026-11-21T10:30:00.000Z' };
const active = { id: '0b6f7d1e-52a3-4c8e-9a51-7c1f5e0d9b42', status: 'ACTIVE' };
const context = { lnAddress: 'alice@bringin.xyz', destinationIban: 'DE89 3704 0044 0532 0130 00' };
const show = (reply: LinkReply, before?: ConnectionState, now = createdOn + 10_000): ConnectionState => toConnection(reply, before, now, rules);

const base = { upstreamId: 'l-1', name: 'Savings', direction: 'sell', network: 'lightning', createdOn } as const;
const known = { lightningAddress: 'alice@bringin.xyz', iban };

describe('a link and its standing order', () => {
  test('being made', () => {
    expect(show(link('INITIATING', { standingOrder: null }))).toEqual({ ...base, status: 'initiating', upstream: {} });
  });
  test('a connection that is still being made after a minute is reported as late', () => {
    expect(show(link('INITIATING'), undefined, createdOn + 60_000).failure).toBeUndefined();
    expect(show(link('INITIATING'), undefined, createdOn + 60_001)).toMatchObject({ status: 'initiating', failure: 'takes-too-long' });
  });
  test('waits for the code', () => {
    expect(show(link('PENDING', { standingOrder: pending, ...context }))).toEqual({
      ...base,
      ...known,
      status: 'code_required',
      upstream: { challengeId: 'c-1', standingOrderId: 'pending_abc123' },
      codeExpiresOn: createdOn + 1_800_000,
    });
  });
  test('the 30 minutes run from the creation, whatever a later challenge says', () => {
    const later = { ...pending, challengeExpiresAt: '2026-11-21T10:45:00.000Z' };
    expect(show(link('PENDING', { standingOrder: later })).codeExpiresOn).toBe(createdOn + 1_800_000);
    const { challengeExpiresAt: _none, ...silent } = pending;
    expect(show(link('PENDING', { standingOrder: silent })).codeExpiresOn).toBe(createdOn + 1_800_000);
    expect(show(link('PENDING', { standingOrder: { ...pending, challengeExpiresAt: '2026-11-21T10:10:00.000Z' } })).codeExpiresOn).toBe(createdOn + 600_000);
  });
  test('PENDING without a challenge cannot be confirmed yet', () => {
    expect(show(link('PENDING', { standingOrder: { id: 'pending_abc123' } })).status).toBe('initiating');
  });
  test('active: the standing order has a new id, and everything else is kept', () => {
    const before = { ...show(link('PENDING', { standingOrder: pending, ...context })), attemptsLeft: 2 };
    expect(show(link('ACTIVE', { standingOrder: active }), before)).toEqual({
      ...base,
      ...known,
      status: 'active',
      upstream: { challengeId: 'c-1', standingOrderId: active.id },
    });
  });
  test.each([
    ['FAILED', 'failed'],
    ['EXPIRED', 'expired'],
    ['INACTIVE', 'inactive'],
    ['active', 'active'],
  ])('%s', (word, status) => {
    expect(show(link(word, { standingOrder: active })).status).toBe(status);
  });
  test('an unknown status word changes nothing', () => {
    expect(show(link('PAUSED')).status).toBe('initiating');
    expect(show(link('PAUSED'), show(link('ACTIVE', { standingOrder: active }))).status).toBe('active');
    expect(show(link('constructor')).status).toBe('initiating');
  });
  test("why it failed: a plain code, never the provider's sentence", () => {
    const failures = [
      { errorCode: 'IBAN_REFUSED', message: 'x' },
      { errorCode: 20_001 },
      'TIMEOUT',
      'Dear Alice, your bank …',
      { message: 'x' },
      null,
      undefined,
    ];
    expect(failures.map((error) => show(link('FAILED', { error })).failure)).toEqual([
      'IBAN_REFUSED',
      '20001',
      'TIMEOUT',
      'failed',
      'failed',
      'failed',
      'failed',
    ]);
  });
  test('a cancellation that waits for its code survives reads, until the code expires or the connection ends', () => {
    const cancel = { challengeId: 'c-9', expiresOn: createdOn + 100_000 };
    const waiting: ConnectionState = { ...base, ...known, status: 'code_required', upstream: { standingOrderId: active.id, cancel } };
    expect(show(link('ACTIVE', { standingOrder: active }), waiting)).toEqual({ ...waiting, codeExpiresOn: cancel.expiresOn });
    expect(show(link('ACTIVE', { standingOrder: active }), waiting, cancel.expiresOn)).toEqual({
      ...base,
      ...known,
      status: 'active',
      upstream: { standingOrderId: active.id },
    });
    expect(show(link('INACTIVE', { standingOrder: active }), waiting)).toEqual({
      ...base,
      ...known,
      status: 'inactive',
      upstream: { standingOrderId: active.id },
    });
  });
  test('buying: the IBAN to pay to is not judged, only its blanks go', () => {
    const reply = link(
      'ACTIVE',
      { standingOrder: active, depositIban: 'LT61 3250 0467 2289 5172', destinationAddress: 'bc1q' },
      { type: 'FIAT_TO_CRYPTO', subtype: 'ONCHAIN' },
    );
    expect(show(reply)).toMatchObject({ direction: 'buy', network: 'onchain', status: 'active', depositIban: 'LT613250046722895172' });
  });
  test('selling on chain', () => {
    for (const depositAddress of [address, `bitcoin:${address.toUpperCase()}?amount=1`, ` ${address}?lightning=lnbcrt1`]) {
      const reply = link('ACTIVE', { standingOrder: active, depositAddress, destinationIban: iban }, { subtype: 'ONCHAIN' });
      expect(show(reply)).toMatchObject({ direction: 'sell', network: 'onchain', depositAddress: address, iban });
    }
  });
  test('an address that nobody should pay to is not shown, and a known one never changes', () => {
    for (const more of [{ lnAddress: 'alice@evil.example' }, { lnAddress: 'alice@bringin.xyz.evil.example' }, { depositAddress: 'bc1q' }]) {
      const reply = link('ACTIVE', { standingOrder: active, ...more });
      expect(show(reply)).toEqual({ ...base, status: 'active', upstream: { standingOrderId: active.id } });
      expect(show(reply, { ...base, status: 'active', upstream: {}, ...known })).toMatchObject(known);
    }
    const other = link('ACTIVE', { standingOrder: active, lnAddress: 'mallory@bringin.xyz' });
    expect(show(other, { ...base, status: 'active', upstream: {}, ...known })).toMatchObject(known);
    expect(show(link('ACTIVE', { lnAddress: ' lightning:alice@bringin.xyz' }))).toMatchObject({ lightningAddress: 'alice@bringin.xyz' });
  });
  test('stored notes are read for what they are', () => {
    const notes = { challengeId: 'c', standingOrderId: 's', cancel: { challengeId: 'x', expiresOn: 5 } };
    expect(readConnectionNotes(notes)).toEqual(notes);
    expect([readConnectionNotes(null), readConnectionNotes('x'), readConnectionNotes({ challengeId: 1, cancel: { challengeId: 'x' } })]).toEqual([{}, {}, {}]);
  });
});

const wanted: ConnectionRequest = {
  name: 'Savings',
  direction: 'sell',
  network: 'lightning',
  iban,
  bic: 'COBADEFFXXX',
  beneficiaryName: 'Alice Nakamoto',
  lightningUsername: 'Alice',
};
const buying: ConnectionRequest = {
  name: 'Stacking',
  direction: 'buy',
  network: 'onchain',
  destinationAddress: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
};

describe('a new connection', () => {
  test.each<[string, Partial<ConnectionRequest>, string | undefined]>([
    ['good', {}, undefined],
    ['blanks and lower case in the IBAN', { iban: 'de89 3704 0044 0532 0130 00' }, undefined],
    ['BIC of 8', { bic: 'COBADEFF' }, undefined],
    ['name of 1', { name: 'S' }, 'name-invalid'],
    ['name of 50', { name: 'S'.repeat(50) }, undefined],
    ['name of 51', { name: 'S'.repeat(51) }, 'name-invalid'],
    ['name of blanks', { name: '     ' }, 'name-invalid'],
    ['IBAN with a wrong digit', { iban: 'DE89370400440532013001' }, 'iban-invalid'],
    ['IBAN too short', { iban: 'DE8937040044053201300' }, 'iban-invalid'],
    ['BIC of 9', { bic: 'COBADEFFX' }, 'bic-invalid'],
    ['holder of 1', { beneficiaryName: 'A' }, 'beneficiary-name-invalid'],
    ['holder of 100', { beneficiaryName: 'A'.repeat(100) }, undefined],
    ['holder of 101', { beneficiaryName: 'A'.repeat(101) }, 'beneficiary-name-invalid'],
    ['user name with a full address', { lightningUsername: 'alice@bringin.xyz' }, 'username-invalid'],
    ['on chain needs no user name', { network: 'onchain', lightningUsername: '' }, undefined],
  ])('%s', (_name, more, problem) => {
    expect(connectionProblem({ ...wanted, ...more }, 'regtest')).toBe(problem);
  });
  test('what is missing is invalid', () => {
    const missing = ({ name, direction, network }: ConnectionRequest): ConnectionRequest => ({ name, direction, network });
    expect([missing(wanted), missing(buying)].map((request) => connectionProblem(request, 'regtest'))).toEqual(['iban-invalid', 'address-invalid']);
  });
  test('buying needs an address of the network, on chain', () => {
    expect(connectionProblem(buying, 'regtest')).toBeUndefined();
    expect(connectionProblem(buying, 'main')).toBe('address-invalid');
    expect(connectionProblem({ ...buying, network: 'lightning' }, 'regtest')).toBe('network-unsupported');
  });
  test('user names', () => {
    expect(['alice', 'a', 'alice.b', 'alice_b-c/d', 'Alice1', 'a'.repeat(64)].map(isUsername)).toEqual(Array(6).fill(true));
    expect(['', '.alice', 'alice.', 'a..b', 'a._b', 'a b', 'älice', 'a@b', 'a+b', 'a'.repeat(65)].map(isUsername)).toEqual(Array(10).fill(false));
  });
  test("the request uses Bringin's words", () => {
    const beneficiary = { iban, bic: 'COBADEFFXXX', name: 'Alice Nakamoto' };
    expect(createBody(wanted, settings)).toEqual({ name: 'Savings', type: 'CRYPTO_TO_FIAT', subtype: 'LN', lnAddress: 'alice@bringin.xyz', beneficiary });
    expect(createBody(wanted, { ...settings, ln_address_form: 'username' })).toMatchObject({ lnAddress: 'alice' });
    expect(createBody({ ...wanted, network: 'onchain' }, settings)).toEqual({
      name: 'Savings',
      type: 'CRYPTO_TO_FIAT',
      subtype: 'ONCHAIN',
      beneficiary,
      sourceCurrency: 'BTC',
    });
    expect(createBody(buying, settings)).toEqual({
      name: 'Stacking',
      type: 'FIAT_TO_CRYPTO',
      subtype: 'ONCHAIN',
      destinationAddress: buying.destinationAddress,
      destinationCurrency: 'BTC',
      network: 'BTC',
    });
  });
});

describe('the IBAN that is paid', () => {
  const silent = link('ACTIVE', { standingOrder: active, lnAddress: 'alice@bringin.xyz' });
  const read = (known: string | undefined, told: string | undefined) =>
    show(link('ACTIVE', { standingOrder: active, lnAddress: 'alice@bringin.xyz', destinationIban: told }), {
      ...show(silent),
      ...(known === undefined ? {} : { iban: known }),
    });
  const other = 'FR1420041010050500013M02606';
  test.each([
    ['the same', iban, iban],
    ['the same with blanks', iban, 'DE89 3704 0044 0532 0130 00'],
    ['the same, masked', iban, 'DE89 **** **** **** **30 00'],
    ['not told', iban, undefined],
    ['nothing that can be read', iban, 'your bank account'],
    ['the same, masked by X', iban, 'DE89XXXXXXXXXXXXXX3000'],
    ['the same, masked by x in groups', iban, 'de89 xxxx xxxx xxxx xx30 00'],
    ['the same, masked by X between dashes', iban, 'DE89-XXXX-XXXX-3000'],
    ['the same, masked by points', iban, 'DE89…3000'],
    ['the same, all but its end masked', iban, '**** 3000'],
    ['the same, with shown digits within the mask', iban, 'DE89 37XX 0044 XXXX XX30 00'],
    ['a mask that shows nothing', iban, '******'],
    ['a country whose code begins with X, masked', 'XK051212012345678906', 'XK05************8906'],
    ['a check digit that is wrong', iban, 'FR1420041010050500013M02607'],
    ['a note', iban, 'No **3000 (EUR)'],
    ['words before a mask', iban, 'account ending in **3001'],
    ['a very long text', iban, `DE89${'X'.repeat(100)}1`],
    ['not known before', undefined, other],
    ['known masked before', 'DE89**************3000', iban],
  ])('%s', (_name, known, told) => {
    expect(read(known, told)).toMatchObject({ status: 'active', lightningAddress: 'alice@bringin.xyz' });
    expect(read(known, told).iban).toBe(known !== undefined && !known.includes('*') ? known : told);
  });
  test.each([
    ['another', iban, other],
    ['another, masked', iban, 'FR14 **** **** 2606'],
    ['another account of the same bank, masked', iban, 'DE89************3001'],
    ['another than the masked one', 'DE89**************3000', other],
    ['another, masked by X', iban, 'FR14XXXXXXXXXXXXXXXXXXX2606'],
    ['another account of the same bank, masked by x', iban, 'DE89 xxxx xxxx xxxx xx30 01'],
    ['another, all but its end masked', iban, '**** 3001'],
  ])('%s: nobody pays to that connection', (_name, known, told) => {
    const state = read(known, told);
    expect(state).toMatchObject({ status: 'failed', failure: 'iban-differs', iban: known });
    expect([state.lightningAddress, state.depositAddress]).toEqual([undefined, undefined]);
    // A later answer with no IBAN, or a masked one, does not end the failure.
    expect(show(silent, state).status).toBe('failed');
    expect(show(link('ACTIVE', { standingOrder: active, destinationIban: 'DE89XXXXXXXXXXXXXX3000' }), state).status).toBe('failed');
  });
  test('the right one, in whole, makes the connection good again', () => {
    const state = read(iban, other);
    expect(state.stillThere).toBe(true);
    const right = show(link('ACTIVE', { standingOrder: active, ...context }), show(silent, state));
    expect(right).toMatchObject({ status: 'active', lightningAddress: 'alice@bringin.xyz', iban });
    expect([right.failure, right.stillThere]).toEqual([undefined, undefined]);
  });
  test('the addresses that were known before are those that come back, whatever was told meanwhile', () => {
    const told = {
      standingOrder: active,
      lnAddress: 'mallory@bringin.xyz',
      depositAddress: 'bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry',
    };
    for (const from of [
      { lightningAddress: 'alice@bringin.xyz' },
      { depositAddress: address },
      { lightningAddress: 'alice@bringin.xyz', depositAddress: address },
    ]) {
      const wrong = show(link('ACTIVE', { ...told, destinationIban: other }), { ...base, status: 'active', upstream: {}, iban, ...from });
      expect([wrong.failure, wrong.lightningAddress, wrong.depositAddress]).toEqual(['iban-differs', undefined, undefined]);
      const still = show(link('ACTIVE', { ...told, destinationIban: 'DE89XXXXXXXXXXXXXX3000' }), wrong);
      const right = show(link('ACTIVE', { ...told, destinationIban: iban }), still);
      expect(right).toMatchObject({ status: 'active', ...from });
      expect(right.withheld).toBeUndefined();
    }
  });
  test.each([
    ['INACTIVE', 'inactive', undefined],
    ['FAILED', 'failed', undefined],
    ['PAUSED', 'failed', true],
  ] as const)('a connection to another account that Bringin calls %s is %s', (word, status, stillThere) => {
    const state = show(link(word, { standingOrder: active, lnAddress: 'alice@bringin.xyz', destinationIban: other }), read(iban, other));
    expect([state.status, state.stillThere, state.failure, state.lightningAddress]).toEqual([status, stillThere, 'iban-differs', undefined]);
  });
});

describe('whether it is there already', () => {
  const find = (links: LinkReply[], request = wanted): unknown => {
    const found = findExisting(links, request, settings);
    if (typeof found === 'string') return found;
    return 'same' in found ? found.same.bringinLink.id : `perhaps ${found.perhaps}`;
  };
  const there = (more: object = {}, of: object = {}, status = 'ACTIVE'): LinkReply => link(status, { standingOrder: active, ...context, ...more }, of);
  test.each<[string, LinkReply[], unknown]>([
    ['nothing', [], 'none'],
    ['the same', [there()], 'l-1'],
    ['the same under another name', [there({}, { name: 'Rent' })], 'l-1'],
    ['the same, waiting for its code', [there({ standingOrder: pending }, {}, 'PENDING')], 'l-1'],
    ['ended', [there({}, {}, 'EXPIRED'), there({}, {}, 'INACTIVE'), there({}, {}, 'FAILED')], 'none'],
    ['another IBAN on the same address', [there({ destinationIban: 'FR1420041010050500013M02606' }, { name: 'Rent' })], 'username-taken'],
    ['another address and name, the same IBAN', [there({ lnAddress: 'bob@bringin.xyz' }, { name: 'Rent' })], 'none'],
    ['the name on another address', [there({ lnAddress: 'bob@bringin.xyz' })], 'name-taken'],
    ['the name on a connection of another kind', [there({}, { subtype: 'ONCHAIN' })], 'name-taken'],
    ['the name, still being made', [link('INITIATING')], 'unclear'],
    ['another name, still being made', [link('INITIATING', {}, { name: 'Rent' })], 'none'],
    ['the name, its IBAN masked', [there({ destinationIban: 'DE89 **** 3000' })], 'perhaps name-taken'],
    ['the name, its IBAN a mask that shows nothing', [there({ destinationIban: '******' })], 'perhaps name-taken'],
    ['the name and the IBAN, without the address', [there({ lnAddress: undefined })], 'perhaps name-taken'],
    ['the name, and the end of another IBAN', [there({ destinationIban: 'DE89 **** 3001' })], 'name-taken'],
    ['the name on another address, its IBAN masked', [there({ destinationIban: '******', lnAddress: 'bob@bringin.xyz' })], 'name-taken'],
    ['the name on another kind, its IBAN masked', [there({ destinationIban: '******' }, { subtype: 'ONCHAIN' })], 'name-taken'],
    ['the address without a name, its IBAN masked', [there({ destinationIban: 'DE89 **** 3000' }, { name: '' })], 'perhaps username-taken'],
    ['the address without a name, and the end of another IBAN', [there({ destinationIban: '**** 3001' }, { name: '' })], 'username-taken'],
    ['the address under another name, its IBAN masked', [there({ destinationIban: 'DE89 **** 3000' }, { name: 'Rent' })], 'username-taken'],
  ])('%s', (_name, links, expected) => {
    expect(find(links)).toBe(expected);
  });
  test('a connection for buying is recognised by its address', () => {
    const kind = { type: 'FIAT_TO_CRYPTO', subtype: 'ONCHAIN', name: 'Any' };
    expect(find([link('ACTIVE', { standingOrder: active, destinationAddress: buying.destinationAddress }, kind)], buying)).toBe('l-1');
    expect(find([link('ACTIVE', { standingOrder: active, destinationAddress: 'bc1qother' }, kind)], buying)).toBe('none');
    expect(find([link('ACTIVE', { standingOrder: active, destinationAddress: 'bc1qother' }, { ...kind, name: 'Stacking' })], buying)).toBe('name-taken');
  });
});
