/** Memory for messages. */
export interface MessageRoom {
  /** A buffer of so many bytes, with any content. */
  take(bytes: number): Buffer;
  /** Takes back the buffer of a message that has been sent, and that nothing reads any more. */
  giveBack(message: Buffer): void;
}

/** For transports that may keep a message after it was sent: each gets memory of its own. */
export const freshRoom: MessageRoom = { take: (bytes) => Buffer.allocUnsafe(bytes), giveBack: () => undefined };

const stepBytes = 16_384;

/**
 * Gives the memory of sent messages to the next ones. Thousands of new buffers a second would fill the memory with old ones
 * until Node frees them.
 * @param most buffers kept for later
 */
export function createMessageRoom(most: number): MessageRoom {
  const free: Buffer[] = [];
  /** Those that are in use, by their memory. */
  const taken = new WeakMap<ArrayBufferLike, Buffer>();
  return {
    take(bytes) {
      const kept = free.pop();
      const whole =
        kept !== undefined && kept.length >= bytes
          ? kept
          : Buffer.allocUnsafeSlow(Math.ceil(bytes / stepBytes) * stepBytes);
      taken.set(whole.buffer, whole);
      return whole.subarray(0, bytes);
    },
    giveBack(message) {
      const whole = taken.get(message.buffer);
      if (whole === undefined || !taken.delete(message.buffer)) return;
      if (free.length < most) free.push(whole);
    },
  };
}
