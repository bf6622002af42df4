import type { Json as AnyJson } from '../../domain/offer.ts';
import type { CatalogueOption } from '../../providers/spec.ts';

type StoredOption = { currency: string; name: string; upstream: AnyJson; feePpm: number; minFiat?: string; maxFiat?: string };
export const optionToJson = ({ minFiat, maxFiat, ...option }: CatalogueOption): AnyJson => ({
  ...option,
  ...(minFiat === undefined ? {} : { minFiat: minFiat.toString() }),
  ...(maxFiat === undefined ? {} : { maxFiat: maxFiat.toString() }),
});
export const optionFromJson = (json: AnyJson): CatalogueOption => {
  const { minFiat, maxFiat, ...option } = json as StoredOption;
  return { ...option, ...(minFiat === undefined ? {} : { minFiat: BigInt(minFiat) }), ...(maxFiat === undefined ? {} : { maxFiat: BigInt(maxFiat) }) };
};
