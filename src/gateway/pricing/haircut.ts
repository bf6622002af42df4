/** The haircut of an estimate, before we know anything about its provider. */
import type { Settings } from '../../ports/settings.ts';

/**
 * Returns the default haircut in basis points. It is never below the slippage that an order may have: otherwise a provider could quote too high by
 * that slippage every time, and rank higher for it.
 */
export const defaultHaircutBps = ({ indicative_haircut_bps, slippage_bps }: Settings['routing']): number => Math.max(indicative_haircut_bps, slippage_bps);
