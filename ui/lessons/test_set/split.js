// Who is trained on and who tests, drawn at random; tests hold what is said of it.

import { random, shuffled } from "../training/random.js";

// Whether each slice tests: a quarter of the slices, or all slices of a quarter of the patients.
export function divide(patients, by, seed) {
  if (by === "slices") {
    const chosen = new Set(shuffled(patients.keys(), random(seed)).slice(0, Math.round(patients.length / 4)));
    return patients.map((_, index) => chosen.has(index));
  }
  const names = [...new Set(patients)];
  const chosen = new Set(shuffled(names, random(seed)).slice(0, Math.round(names.length / 4)));
  return patients.map((name) => chosen.has(name));
}

// Of each slice that tests, the training slice that is nearest; null of others.
export function nearest(tests, distances) {
  const number = tests.length;
  return tests.map((testing, index) => {
    if (!testing) return null;
    let best = null;
    for (let other = 0; other < number; other++) {
      if (tests[other]) continue;
      const distance = distances[index * number + other];
      if (!best || distance < best.distance) best = { index: other, distance };
    }
    return best;
  });
}

// What a division comes to: patients on both sides, share of test slices whose nearest training slice is
// of the same head, and the median distance to it.
export function compare(patients, tests, near) {
  const sides = (testing) => new Set(patients.filter((_, index) => tests[index] === testing));
  const [testing, training] = [sides(true), sides(false)];
  const found = near.map((each, index) => each && { ...each, same: patients[each.index] === patients[index] });
  const there = found.filter(Boolean);
  const sorted = there.map(({ distance }) => distance).sort((a, b) => a - b);
  return {
    shared: [...testing].filter((name) => training.has(name)).length,
    testing: testing.size,
    tests: there.length,
    same: there.length ? there.filter(({ same }) => same).length / there.length : null,
    median: sorted.length ? (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2 : null,
  };
}
