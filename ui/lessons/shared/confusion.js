// What became of each pixel: 1 found, 2 marked wrongly, 3 missed, 0 rightly left alone.
export function outcomes(mask, truth) {
  const codes = new Uint8Array(mask.length);
  for (let i = 0; i < mask.length; i++) codes[i] = mask[i] ? (truth[i] ? 1 : 2) : truth[i] ? 3 : 0;
  return codes;
}

// How `Picture.fill` colors them: apart for every kind of color vision, by pattern too.
export const OUTCOME_COLORS = {
  1: [[86, 180, 233, 165]],
  2: [[255, 176, 0, 230], [58, 39, 0, 230], "stripes"],
  3: [[255, 255, 255, 235], [204, 121, 167, 235], "squares"],
};
