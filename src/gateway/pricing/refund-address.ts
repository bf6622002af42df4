import { checkPayoutAddress } from '../../bitcoin/address.ts';
import type { Gateway } from '../../ports/gateway.ts';
import { Problem } from '../problem.ts';

/** Returns the address in its canonical form. Throws a Problem if it is not an address on this network. */
export const readRefundAddress = (gateway: Gateway, text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  const checked = checkPayoutAddress(text, gateway.settings.network);
  if ('problem' in checked)
    throw new Problem('address-invalid', `refund_onchain: ${checked.problem}`, { errors: [{ pointer: '/refund_onchain', detail: checked.problem }] });
  return checked.address;
};

/** Returns an address in its canonical form, to compare it. What is not an address stays as it is. */
export const inOneWriting = (gateway: Gateway, text: string | undefined): string | undefined => {
  const checked = text === undefined ? undefined : checkPayoutAddress(text, gateway.settings.network);
  return checked && 'address' in checked ? checked.address : text;
};

/** Returns the hash of a refund address, which a reservation keeps for comparison. Empty if there is no address. */
export const refundHashOf = (gateway: Gateway, address: string | undefined): string =>
  address === undefined ? '' : gateway.hash(`refund ${address}`).slice(0, 32);
