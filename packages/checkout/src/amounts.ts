import type { Money } from '@ramp-gateway/client';

export type Language = 'en' | 'de';

/** The separator between groups of three digits, by language. */
const groupOf: Record<Language, string> = { en: ',', de: '.' };

/**
 * Converts what a person typed into a decimal string for the client: "99,50" and "99.50" both become 99.50. "1.000" becomes 1000 in German; in
 * English, where it could also mean 1, the result is undefined. Returns undefined for anything that is not clearly an amount: money is not guessed.
 */
export const readAmount = (written: string, language: Language): string | undefined => {
  const text = written.replaceAll(/[\s\u00A0\u202F'’]/g, '');
  const group = groupOf[language];
  const decimal = group === ',' ? '.' : ',';
  const grouped = new RegExp(`^\\d{1,3}(?:\\${group}\\d{3})+(?:\\${decimal}\\d{1,2})?$`);
  const plain = grouped.test(text) ? text.replaceAll(group, '').replace(decimal, '.') : text.replace(',', '.');
  return /^\d{1,12}(?:\.\d{1,2})?$/.test(plain) && /[1-9]/.test(plain) ? plain : undefined;
};

/** Formats an exact decimal string, so that no amount becomes a float. A code that Intl does not accept as a currency is written after the number. */
export const showMoney = ({ text, currency }: Pick<Money, 'text' | 'currency'>, language: Language): string => {
  const exact = text as `${number}`;
  if (currency === 'sat') return `${new Intl.NumberFormat(language).format(exact)} sats`;
  try {
    // A currency without decimals still gets them if there is a fraction: nothing is rounded.
    const digits = /\.\d*[1-9]/.test(text) ? { minimumFractionDigits: 2 } : {};
    return new Intl.NumberFormat(language, { style: 'currency', currency, ...digits }).format(exact);
  } catch {
    return `${new Intl.NumberFormat(language, { minimumFractionDigits: 2 }).format(exact)} ${currency}`;
  }
};

/** Formats basis points (hundredths of a per cent) as per cent. */
export const showBps = (bps: number, language: Language): string =>
  new Intl.NumberFormat(language, { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(bps / 10_000);

export const showTime = (date: Date, language: Language): string => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(date);

/** Formats a duration such as "5 minutes", rounded up. Uses minutes from 1 minute on, hours from 90 minutes on, and days from 36 hours on. */
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

/** Formats the time that is left, such as "4:05". */
export const showCountdown = (ms: number): string => {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};
