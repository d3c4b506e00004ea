// What a command would do, in the floor's words: one line an effect.

const TOLD = {
  lot: ({ id, after }) => `${id}: ${after}`,
};

export function effectsTold(effects) {
  return effects.map((one) => TOLD[one.on]?.(one) ?? `${one.id} ${one.what}: ${one.before ?? ""} → ${one.after ?? ""}`);
}
