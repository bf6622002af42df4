export type NoticeStore = {
  record(
    notice: { id: string; providerId: string; purpose: string; targetId: string; genuine: boolean; receivedOn: number; body?: string },
    windowMs: number,
  ): Promise<'new' | 'counted'>;
  /** Returns the sealed bodies of the first 20 genuine notices about one target, oldest first. Leaves out notices without a body. */
  bodies(purpose: string, targetId: string): Promise<{ id: string; body: string }[]>;
  /** Returns whether a genuine notice about this target has come. */
  heard(targetId: string): Promise<boolean>;
};
