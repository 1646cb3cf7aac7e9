#!/usr/bin/env python3
"""Writes scenarios/checks/keep-alive-sample.csv: a small synthetic file of calls, so that the keep-alive scenario runs as it is.

200 calls of 12 functions over about 50 minutes. Gaps between calls are exponential (mean 15 s), functions are popular by
1/rank, and a function's durations are exponential around its own mean. Nothing here comes from a real trace. Only integers
and a linear congruential generator are used, so that every machine and every Python writes the same bytes.

    python3 scripts/make_keep_alive_sample.py > scenarios/checks/keep-alive-sample.csv
"""

CALLS = 200
FUNCTIONS = 12
MEAN_GAP_MS = 15_000
MEMORY_MB = (64, 128, 256, 512)

# -1000 ln((k + 0.5) / 64) for k = 0..63: 64 equally likely values of an exponential with mean about 1000.
EXPONENTIAL = [
    4852, 3753, 3243, 2906, 2655, 2454, 2287, 2144, 2019, 1908, 1808, 1717, 1633, 1556, 1485, 1418,
    1356, 1297, 1241, 1188, 1138, 1091, 1045, 1002, 960, 920, 882, 845, 809, 774, 741, 709,
    678, 647, 618, 589, 562, 535, 508, 483, 458, 433, 409, 386, 363, 341, 319, 298,
    277, 257, 237, 217, 198, 179, 161, 143, 125, 107, 90, 73, 56, 40, 24, 8,
]

state = 20220606


def below(n):
    """The next pseudo-random integer in 0..n (Knuth's MMIX generator, upper bits)."""
    global state
    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
    return (state >> 33) * n >> 31


def exponential(mean):
    """An exponential integer with about this mean, at least 1."""
    return max(1, EXPONENTIAL[below(64)] * mean // 1000)


def main():
    weights = [27720 // (rank + 1) for rank in range(FUNCTIONS)]
    print("arrival_time_s,function_id,duration_s,memory_mb")
    now_ms = 0
    for _ in range(CALLS):
        now_ms += exponential(MEAN_GAP_MS)
        pick = below(sum(weights))
        function = 0
        while pick >= weights[function]:
            pick -= weights[function]
            function += 1
        duration_ms = exponential(200 * (1 + function))
        seconds = "{}.{:03d}".format
        print(
            seconds(*divmod(now_ms, 1000)),
            f"f{function:02d}",
            seconds(*divmod(duration_ms, 1000)),
            MEMORY_MB[function % len(MEMORY_MB)],
            sep=",",
        )


main()
