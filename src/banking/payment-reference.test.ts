import fc from 'fast-check';
import { expect, it } from 'vitest';
import { likelyReferences } from './payment-reference.ts';

it.each<[object, string?, string?]>([
  [{ transfer_preference: 'instant', provider_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ reference_type: 'unstructured', payment_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ reference_note: 'use it', payment_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ customer_reference: 'user 4411', payment_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ provider_reference: '  ', payment_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ payment_reference: 'other', provider_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ reference: 'other', payment_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ order_reference: 'other', reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ paymentReference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ 'Payment-Reference': ' LP-77Q2 ' }, 'LP-77Q2'],
  [{ paymentreference: 'LP-77Q2', cashpreference: 'x' }, 'LP-77Q2'],
  [{ 'Reference (please copy the hint)': 'LP-77Q2' }, 'LP-77Q2'],
  [{ bank_account_reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ reference_number: 'LP-77Q2', reference_url: 'x' }, 'LP-77Q2'],
  [{ payment_ref: 'LP-77Q2' }, 'LP-77Q2'],
  [{ Zahlungsreferenz: 'LP-77Q2' }, 'LP-77Q2'],
  [{ Verwendungszweck: 'LP-77Q2' }, 'LP-77Q2'],
  [{ memo: 'x', reference: 'LP-77Q2' }, 'LP-77Q2'],
  [{ customer_reference: 'user 4411' }, 'user 4411'],
  [{ reference_type: 'unstructured' }],
  [{ transfer_preference: 'instant', provider_iban: 'DE89' }],
  [{}],
  [{ order_reference: 'A', booking_reference: 'B' }, 'A', 'B'],
  [{ order_reference: 'A', booking_reference: 'A' }, 'A'],
])('the reference of %j is %j', (details, ...likely) => expect(likelyReferences(details as Record<string, string>)).toEqual(likely));

it('whatever stands around it and in whatever order, provider_reference is the reference', () => {
  const noise = fc.constantFrom(
    'transfer_preference',
    'reference_type',
    'referenceNote',
    'customer_reference',
    'payment_reference',
    'reference',
    'memo',
    'order_reference',
    'ref',
    'provider_iban',
    'references_url',
  );
  const own = fc.constantFrom('provider_reference', 'providerReference', 'Provider Reference', 'PROVIDER-REFERENCE');
  fc.assert(
    fc.property(fc.uniqueArray(noise), own, fc.nat(11), (others, key, at) => {
      const entries: [string, string][] = others.map((other) => [other, `x ${other}`]);
      expect(likelyReferences(Object.fromEntries([...entries.slice(0, at), [key, 'LP-77Q2'], ...entries.slice(at)]))).toEqual(['LP-77Q2']);
    }),
  );
});
