/**
 * A screen that buys bitcoin. In your app: `npm install @ramp-gateway/client @react-native-async-storage/async-storage`. The client needs nothing
 * that Hermes lacks. Whoever reads its store can reach the customer's orders: where that matters, give the client a store in the keychain instead.
 */
import AsyncStorage from '@react-native-async-storage/async-storage';
import { asyncStorageStore, createRamp, RampError, type BuyOrder, type Node, type Offer, type OrderState } from '@ramp-gateway/client';
import { useEffect, useState } from 'react';
import { Button, Linking, Text, TextInput, View } from 'react-native';

type Props = {
  gateway: string;
  /** The phone's Lightning node: its key, and its signmessage. */
  node: Node;
  /** Redeems an LNURL-withdraw link. */
  withdraw: (lnurl: string) => Promise<void>;
};

export const BuyScreen = ({ gateway, node, withdraw }: Props) => {
  const [ramp] = useState(() => createRamp({ url: gateway, store: asyncStorageStore(AsyncStorage), node }));
  const [amount, setAmount] = useState('100');
  const [offers, setOffers] = useState<Offer[]>([]);
  const [order, setOrder] = useState<BuyOrder>();
  const [state, setState] = useState<OrderState>();
  const [problem, setProblem] = useState('');

  const run = (work: () => Promise<void>): void => {
    setProblem('');
    work().catch((error: unknown) => setProblem(error instanceof RampError ? `${error.message} (${error.action})` : 'Something went wrong.'));
  };

  // Continue the order that was open when the app was closed.
  useEffect(() => {
    run(async () => {
      const { orders, pending } = await ramp.open();
      setOrder(orders[0] ?? (await pending[0]?.again()));
    });
  }, [ramp]);

  useEffect(() => {
    if (!order) return undefined;
    const left = new AbortController();
    run(async () => {
      try {
        for await (const now of order.updates(left.signal)) {
          setState(now);
          if (now.stage === 'filled') await withdraw((await order.withdraw()).lnurl);
        }
      } catch (error) {
        if (!left.signal.aborted) throw error;
      }
    });
    return () => left.abort();
  }, [order, withdraw]);

  const compare = () =>
    run(async () => {
      const { all, not } = await ramp.offers({ pay: amount.trim(), currency: 'EUR', by: 'SEPA' });
      setOffers(all);
      if (all.length === 0) setProblem(not.map(({ provider, reason }) => `${provider.name}: ${reason}`).join('\n'));
    });
  const buy = (offer: Offer) => run(async () => setOrder(await ramp.buy(offer, { atLeast: (offer.gets.units * 99n) / 100n })));

  if (!state)
    return (
      <View>
        <TextInput value={amount} onChangeText={setAmount} inputMode="decimal" accessibilityLabel="Amount in EUR" />
        <Button title="Compare" onPress={compare} />
        {offers.map((offer) => (
          <Button key={offer.id} title={`${offer.provider.name}: ${offer.gets.text} sats`} onPress={() => buy(offer)} />
        ))}
        <Text accessibilityRole="alert">{problem}</Text>
      </View>
    );
  const { pay } = state;
  return (
    <View>
      <Text>{`${state.gets?.text} sats from ${state.provider.name}: ${state.stage}`}</Text>
      {pay?.kind === 'bank' && <Text selectable>{`${pay.amount}\n${pay.iban}\n${pay.name}\n${pay.reference}`}</Text>}
      {pay?.kind === 'page' && <Button title="Pay" onPress={() => run(async () => await Linking.openURL(pay.url))} />}
      <Text accessibilityRole="alert">{problem}</Text>
    </View>
  );
};
