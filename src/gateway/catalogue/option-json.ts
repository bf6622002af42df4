import type { Json as AnyJson } from '../../domain/offer.ts';
import type { CatalogueOption } from '../../providers/spec.ts';

type StoredOption = { currency: string; name: string; upstream: AnyJson; feePpm: number; minFiat?: string; maxFiat?: string };
/**
 * The JSON of each option, kept because every stored route contains the options of its offers. An option does not change until its listing is read
 * again.
 */
const writtenOptions = new WeakMap<CatalogueOption, AnyJson>();
export const optionToJson = (option: CatalogueOption): AnyJson => {
  const known = writtenOptions.get(option);
  if (known !== undefined) return known;
  const { minFiat, maxFiat, ...others } = option;
  const written = {
    ...others,
    ...(minFiat === undefined ? {} : { minFiat: minFiat.toString() }),
    ...(maxFiat === undefined ? {} : { maxFiat: maxFiat.toString() }),
  };
  writtenOptions.set(option, written);
  return written;
};
export const optionFromJson = (json: AnyJson): CatalogueOption => {
  const { minFiat, maxFiat, ...option } = json as StoredOption;
  return { ...option, ...(minFiat === undefined ? {} : { minFiat: BigInt(minFiat) }), ...(maxFiat === undefined ? {} : { maxFiat: BigInt(maxFiat) }) };
};
