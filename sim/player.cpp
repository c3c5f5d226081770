// Plays sessions of beats through a decoder at the speed of compiled code and compares what comes out with what should.
//
// sim/player.py writes ports.h, which names the model and its ports, and the file of sessions, whose layout stands in Session below.
// Arguments: the file of sessions, the seed of what registers hold before reset, and for a decoder with mutations which one is at work.
// Prints one line of JSON. Exit code 0: every beat was as expected; 1: the line says which was not, and where.

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "ports.h"
#include "verilated.h"
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

namespace {

constexpr unsigned RESET_CYCLES = 4;  // at most, of one session
constexpr int QUIET_CYCLES = 32;    // after the last beat nothing comes out

class Random {  // xorshift64*
    uint64_t state;

  public:
    explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15u | 1) {}
    uint32_t next() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return static_cast<uint32_t>(state * 0x2545F4914F6CDD1Du >> 32);
    }
};

class Stalls {  // whether a port pauses: with a chance of so many in 256, drawn anew every so many cycles
    uint32_t chance, hold, left = 0;
    bool now = false;

  public:
    Stalls(uint32_t chance, uint32_t hold) : chance(chance), hold(hold) {}
    bool paused(Random &random) {
        if (left-- == 0) {
            now = (random.next() & 255) < chance;
            left = hold - 1;
        }
        return now;
    }
};

const uint8_t *take(const uint8_t *&at, size_t bytes) {
    const uint8_t *here = at;
    at += bytes;
    return here;
}

uint32_t number(const uint8_t *&at) {
    uint32_t value;
    memcpy(&value, take(at, 4), 4);
    return value;
}

struct Source {  // a beat in the file: tdata, then tkeep and tlast where the port has them
    const Input &port;
    Stalls stalls;
    uint32_t beats;
    const uint8_t *at = nullptr;
    bool offering = false;

    void fill(Random &random) {  // bytes of tdata that are not kept mean nothing either
        uint8_t *const data = static_cast<uint8_t *>(port.lines[0].at);
        const uint8_t *const keep = static_cast<const uint8_t *>(port.lines[1].at);
        for (size_t i = 0; i < port.lines[0].bytes(); i++) {
            if (!(keep[i / 8] >> i % 8 & 1)) data[i] = static_cast<uint8_t>(random.next());
        }
    }
    void step(Random &random) {
        if (!offering && beats && !stalls.paused(random)) {
            for (const Line &line : port.lines) line.set(take(at, line.bytes()));
            if (port.lines.size() > 1) fill(random);
            offering = true;
        } else if (!offering) {  // what the lines carry now means nothing
            for (const Line &line : port.lines) {
                uint8_t noise[MOST_BYTES];
                for (size_t i = 0; i < line.bytes(); i++) noise[i] = static_cast<uint8_t>(random.next());
                if (line.bits % 8) noise[line.bytes() - 1] &= static_cast<uint8_t>((1 << line.bits % 8) - 1);
                line.set(noise);
            }
        }
        *port.valid = offering;
    }
    bool taken() {
        if (!offering || !*port.ready) return false;
        offering = false;
        beats--;
        return true;
    }
};

struct Totals {
    uint64_t sessions = 0, matrices = 0, beats = 0, cycles = 0;
};

int wrong(const char *what, const Totals &totals, uint32_t beat, uint32_t cycle) {
    printf("{\"what\": \"%s\", \"session\": %" PRIu64 ", \"beat\": %u, \"cycle\": %u}\n", what, totals.sessions, beat, cycle);
    return 1;
}

void clock(Top &top, Totals &totals) {
    top.aclk = 1;
    top.eval();
    totals.cycles++;
}

void settle(Top &top) {
    top.aclk = 0;
    top.eval();
}

// One session. In the file, numbers of 4 bytes: the seed; the cycle after which it is broken off, or 0; the cycles within which
// something moves; chance and hold of the stalls of every input and of the output; the beats of every input and of the output. Then the beats, port after port.
int play(Top &top, std::vector<Input> &inputs, const Output &output, const uint8_t *&at, Totals &totals) {
    Random random(number(at));
    const uint32_t cut = number(at), patience = number(at);
    std::vector<Stalls> stalls;
    for (size_t i = 0; i <= inputs.size(); i++) {
        const uint32_t chance = number(at);
        stalls.emplace_back(chance, number(at));
    }
    std::vector<Source> sources;
    for (size_t i = 0; i < inputs.size(); i++) sources.push_back({inputs[i], stalls[i], number(at)});
    const uint32_t owed = number(at);
    for (Source &source : sources) {
        size_t size = 0;
        for (const Line &line : source.port.lines) size += line.bytes();
        source.at = take(at, size * source.beats);
    }
    size_t size = 0;
    for (const Line &line : output.lines) size += line.bytes();
    const uint8_t *expected = take(at, size * owed);

    top.aresetn = 0;
    *output.ready = 1;
    for (Source &source : sources) *source.port.valid = 0;
    const unsigned cycles = 1 + random.next() % RESET_CYCLES;
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        settle(top);
        if (cycle && *output.valid) return wrong("tvalid is high in reset", totals, 0, cycle);
        clock(top, totals);
    }
    top.aresetn = 1;

    uint32_t beat = 0;
    uint32_t idle = 0;
    int quiet = 0;
    bool held = false;
    for (uint32_t cycle = 0; !cut || cycle < cut; cycle++) {
        bool left = beat < owed;
        for (Source &source : sources) {
            source.step(random);
            left |= source.beats > 0;
        }
        *output.ready = !left || !stalls.back().paused(random);
        settle(top);
        bool moved = false;
        if (*output.valid) {
            if (beat == owed) return wrong("a beat too many", totals, beat, cycle);
            for (const Line &line : output.lines) {
                if (!line.is(expected)) return wrong(line.name, totals, beat, cycle);
                expected += line.bytes();
            }
            expected -= size;
        } else if (held) {
            return wrong("tvalid fell before the beat was taken", totals, beat, cycle);
        }
        held = *output.valid && !*output.ready;
        if (*output.valid && *output.ready) {
            moved = true;
            beat++;
            totals.beats++;
            totals.matrices += *output.last;
            expected += size;
        }
        for (Source &source : sources) moved |= source.taken();
        clock(top, totals);
        quiet = left ? 0 : quiet + 1;
        if (quiet == QUIET_CYCLES) break;
        idle = moved ? 0 : idle + 1;
        if (left && idle > patience) return wrong("nothing moves", totals, beat, cycle);
    }
    totals.sessions++;
    return 0;
}

std::vector<uint8_t> read(const char *name) {
    std::vector<uint8_t> bytes;
    FILE *file = fopen(name, "rb");
    if (!file) {
        perror(name);
        exit(2);
    }
    uint8_t block[1 << 16];
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;) bytes.insert(bytes.end(), block, block + got);
    fclose(file);
    return bytes;
}

}  // namespace

int main(int count, char **arguments) {
    if (count < 3) return 2;
    const auto context = std::make_unique<VerilatedContext>();
    context->randReset(2);
    context->randSeed(atoi(arguments[2]) + 1);
    Top top(context.get());
#ifdef MUTATED
    top.mutation = count > 3 ? atoi(arguments[3]) : 0;
#endif
    std::vector<Input> inputs = inputs_of(top);
    const Output output = output_of(top);
    const std::vector<uint8_t> file = read(arguments[1]);
    Totals totals;
    int code = 0;
    for (const uint8_t *at = file.data(); !code && at < file.data() + file.size();) {
        code = play(top, inputs, output, at, totals);
        if (at > file.data() + file.size()) return 2;  // the file is cut short
    }
    top.final();
#if VM_COVERAGE
    context->coveragep()->write("coverage.dat");
#endif
    if (!code) {
        printf("{\"sessions\": %" PRIu64 ", \"matrices\": %" PRIu64 ", \"beats\": %" PRIu64 ", \"cycles\": %" PRIu64 "}\n", totals.sessions,
               totals.matrices, totals.beats, totals.cycles);
    }
    return code;
}
