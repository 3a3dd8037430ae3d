/** A moment by two clocks: one stands still while the machine sleeps, the other may be set. */
export class Instant {
  constructor(steady, wall) {
    this.steady = steady;
    this.wall = wall;
  }

  static now() {
    return new Instant(performance.now(), Date.now());
  }

  /** The seconds since then, by the clock that says more: doubt makes old, never fresh. */
  age() {
    return Math.max(performance.now() - this.steady, Date.now() - this.wall, 0) / 1000;
  }
}
