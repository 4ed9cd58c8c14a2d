// What takes a while to make is made once.

// What is known of `key`, which is made where nothing is known yet.
/**
 * @type {<K, V>(
 *   known: { get: (key: K) => V | undefined, set: (key: K, value: V) => unknown }, key: K, make: () => V
 * ) => V}
 */
export function remembered(known, key, make) {
  const old = known.get(key);
  if (old !== undefined) return old;
  const made = make();
  known.set(key, made);
  return made;
}
