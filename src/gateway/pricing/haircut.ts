/** How much lower an estimate ranks before we know anything about its provider. */
import type { Settings } from '../../ports/settings.ts';

/** Never below the slippage that an order may have: otherwise a provider could quote that much too high, every time. */
export const defaultHaircutBps = ({ indicative_haircut_bps, slippage_bps }: Settings['routing']): number => Math.max(indicative_haircut_bps, slippage_bps);
