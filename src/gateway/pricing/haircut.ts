/** By how much an estimate ranks lower before we know anything about its provider. */
import type { Settings } from '../../ports/settings.ts';

/** Never below the slippage that an order may have: otherwise a provider could quote that much too high every time, and rank higher for it. */
export const defaultHaircutBps = ({ indicative_haircut_bps, slippage_bps }: Settings['routing']): number => Math.max(indicative_haircut_bps, slippage_bps);
