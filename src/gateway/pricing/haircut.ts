/** What an estimate is ranked lower by, before anything is known of its provider. */
import type { Settings } from '../../ports/settings.ts';

/** Never below what an estimate may get worse by at the order: a provider could quote that much more than it means, every time. */
export const defaultHaircutBps = ({ indicative_haircut_bps, slippage_bps }: Settings['routing']): number => Math.max(indicative_haircut_bps, slippage_bps);
