/** The console's screens, and the part of the address behind # that leads to each. The gateway never sees it. */
export type Place =
  | { screen: 'waiting' }
  | { screen: 'find' }
  | { screen: 'order'; id: string }
  | { screen: 'list'; list: List; provider?: string }
  | { screen: 'providers'; provider?: string }
  | { screen: 'wins'; provider?: string };
export const lists = ['open', 'review', 'late', 'unknown', 'disputed', 'twins'] as const;
export type List = (typeof lists)[number];

export const placeOf = (hash: string): Place => {
  const [screen = '', first = '', second = ''] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  const list = lists.find((one) => one === first);
  if (screen === 'find') return { screen };
  if (screen === 'order' && first !== '') return { screen, id: first };
  if (screen === 'list' && list !== undefined) return { screen, list, ...(second === '' ? {} : { provider: second }) };
  if (screen === 'providers' || screen === 'wins') return { screen, ...(first === '' ? {} : { provider: first }) };
  return { screen: 'waiting' };
};

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export const hashOf = (place: Place): string => {
  const words = place.screen === 'order' ? [place.id] : place.screen === 'list' ? [place.list, place.provider] : 'provider' in place ? [place.provider] : [];
  return `#/${[place.screen, ...words]
    .filter((word) => word !== undefined)
    .map(encodeURIComponent)
    .join('/')}`;
};
