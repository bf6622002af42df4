import type { Money } from '@ramp-gateway/client';

export type Language = 'en' | 'de';

/** The separator of groups of three digits, as it is written in that language. */
const groupOf: Record<Language, string> = { en: ',', de: '.' };

/**
 * What a person wrote, as decimal text for the client: "99,50" and "99.50" are both 99.50; "1.000" is 1000 in German and nothing in English, where
 * it could mean either. Undefined where it is no amount: money is not guessed.
 */
export const readAmount = (written: string, language: Language): string | undefined => {
  const text = written.replaceAll(/[\s\u00A0\u202F'’]/g, '');
  const group = groupOf[language];
  const decimal = group === ',' ? '.' : ',';
  const grouped = new RegExp(`^\\d{1,3}(?:\\${group}\\d{3})+(?:\\${decimal}\\d{1,2})?$`);
  const plain = grouped.test(text) ? text.replaceAll(group, '').replace(decimal, '.') : text.replace(',', '.');
  return /^\d{1,12}(?:\.\d{1,2})?$/.test(plain) && /[1-9]/.test(plain) ? plain : undefined;
};

/** Of exact decimal text, so that no amount becomes a float. A code that is no currency of ISO 4217 is written behind the number. */
export const showMoney = ({ text, currency }: Pick<Money, 'text' | 'currency'>, language: Language): string => {
  const exact = text as `${number}`;
  if (currency === 'sat') return `${new Intl.NumberFormat(language).format(exact)} sats`;
  try {
    return new Intl.NumberFormat(language, { style: 'currency', currency }).format(exact);
  } catch {
    return `${new Intl.NumberFormat(language, { minimumFractionDigits: 2 }).format(exact)} ${currency}`;
  }
};

/** Hundredths of a per cent, as per cent. */
export const showBps = (bps: number, language: Language): string =>
  new Intl.NumberFormat(language, { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(bps / 10_000);

export const showTime = (date: Date, language: Language): string => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(date);

/** "5 minutes", in the largest unit that fits, rounded up. */
export const showDuration = (seconds: number, language: Language): string => {
  const [unit, size] =
    seconds < 60
      ? (['second', 1] as const)
      : seconds < 5400
        ? (['minute', 60] as const)
        : seconds < 129_600
          ? (['hour', 3600] as const)
          : (['day', 86_400] as const);
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.ceil(seconds / size));
};

/** A clock that runs down: "4:05". */
export const showCountdown = (ms: number): string => {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};
