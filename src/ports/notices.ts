export type NoticeStore = {
  record(
    notice: { id: string; providerId: string; purpose: string; targetId: string; genuine: boolean; receivedOn: number; body?: string },
    windowMs: number,
  ): Promise<'new' | 'counted'>;
  /** Sealed bodies of genuine notices about one target, oldest first. */
  bodies(purpose: string, targetId: string): Promise<{ id: string; body: string }[]>;
  /** Returns whether a genuine notice about it has come. */
  heard(targetId: string): Promise<boolean>;
};
