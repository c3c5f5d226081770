"""What a design is synthesised for: the yosys script of each target and how its cells are counted.

The rules are the same for every design: one flat module, no I/O buffers, no clock buffers, no DSP blocks (a decoder's arithmetic is
built from logic and shows as logic), all other options as the tool has them. On ECP5 that means multiplexers that join LUTs to wider ones:
a tree of XORs then takes about a quarter more LUTs than without, and is faster. A cell that no rule names is an error, never a silent 0.

Gates are counted in NAND2 equivalents: the area of a gate over that of a two-input NAND, in sixths, as the X1 cells of the
NanGate 45 nm open cell library have it (NAND2 0.798 um2 = 6/6, INV 0.532 um2 = 4/6). A flip-flop there is 34/6 = 5.67 NAND2; libraries
differ most in that one number, so flip-flops are counted apart and :data:`FLIP_FLOP_GATES` stands ready for a sum.
"""

import fnmatch
from dataclasses import dataclass, field

FLIP_FLOP_GATES = 34 / 6  # NAND2 equivalents of a D flip-flop without enable or reset


@dataclass(frozen=True)
class Cell:
    """What one cell adds to the figures.

    Attributes:
        lut: Look-up tables that it takes.
        ff: Flip-flops.
        carry: Cells of a carry chain.
        ram: Memory cells, block or distributed.
        sixths: Area in sixths of a NAND2.
        level: Logic levels that a path gains by going through it.
        free: Inputs from which a path gains no level: the carry that comes in by the dedicated wire.
        ends_path: Paths end at its inputs and start at its outputs.
    """

    lut: int = 0
    ff: int = 0
    carry: int = 0
    ram: int = 0
    sixths: int = 0
    level: int = 0
    free: frozenset[str] = frozenset()
    ends_path: bool = False


@dataclass(frozen=True)
class Target:
    """A technology: name, title, yosys commands (``{top}`` is the module), counting rules by pattern of cell type, and which of yosys' own
    files models its cells in Verilog ("" where they need no model).
    """

    name: str
    title: str
    script: str
    cells: tuple[tuple[str, Cell], ...] = field(repr=False)
    models: str = ""

    def cell(self, kind: str) -> Cell:
        """The counting rule of cell type *kind*.

        Raises:
            ValueError: this target has no rule for it.
        """
        for pattern, cell in self.cells:
            if fnmatch.fnmatchcase(kind, pattern):
                return cell
        raise ValueError(f"a cell of {self.name} must be one of {', '.join(pattern for pattern, _ in self.cells)}, was {kind!r}")


def _gate(sixths: int) -> Cell:
    return Cell(sixths=sixths, level=1)


LUT = Cell(lut=1, level=1)
FLIP_FLOP = Cell(ff=1, ends_path=True)
LUT_SHIFTER = Cell(lut=1, ends_path=True)
BLOCK_RAM = Cell(ram=1, ends_path=True)
WIRING_MUX = Cell()  # joins two LUTs of a slice without taking another one


def _lut_ram(luts: int) -> Cell:
    return Cell(lut=luts, ram=1, ends_path=True)


ICE40 = Target(
    "ice40", "Lattice iCE40 HX",
    "synth_ice40 -device hx -top {top}",
    (("SB_LUT4", LUT), ("SB_CARRY", Cell(carry=1)), ("SB_DFF*", FLIP_FLOP), ("SB_RAM40_4K*", BLOCK_RAM)),
    "+/ice40/cells_sim.v",
)

# A CCU2C is both LUTs of a slice and the two carries behind them. A TRELLIS_DPR16X4 stores in the four LUTs of two slices.
ECP5 = Target(
    "ecp5", "Lattice ECP5",
    "synth_ecp5 -noiopad -nodsp -top {top}",
    (
        ("LUT4", LUT), ("CCU2C", Cell(lut=2, carry=1, level=1, free=frozenset({"CIN"}))), ("PFUMX", WIRING_MUX), ("L6MUX21", WIRING_MUX),
        ("TRELLIS_FF", FLIP_FLOP), ("TRELLIS_DPR16X4", _lut_ram(4)), ("DP16KD", BLOCK_RAM), ("PDPW16KD", BLOCK_RAM),
    ),
    "-D NO_INCLUDES +/ecp5/cells_sim.v",
)

# The vendor's other primitives are not read (no emitted design holds one): reading them alone takes a second.
XC7 = Target(
    "xc7", "Xilinx 7 series",
    "read_verilog -lib -specify +/xilinx/cells_sim.v; hierarchy -check -top {top};"
    " synth_xilinx -family xc7 -flatten -noiopad -noclkbuf -nodsp -top {top} -run prepare:",
    (
        ("LUT[1-6]", LUT), ("INV", LUT), ("MUXF[78]", WIRING_MUX), ("CARRY4", Cell(carry=1)),
        ("FD[RSCP]E", FLIP_FLOP), ("FD[RSCP]E_1", FLIP_FLOP), ("SRL16E", LUT_SHIFTER), ("SRLC32E", LUT_SHIFTER),
        ("RAM32M", _lut_ram(4)), ("RAM64M", _lut_ram(4)), ("RAM64X1S", _lut_ram(1)), ("RAM64X1D", _lut_ram(2)),
        ("RAM128X1S", _lut_ram(2)), ("RAM128X1D", _lut_ram(4)), ("RAM256X1S", _lut_ram(4)),
        ("RAMB18E1", BLOCK_RAM), ("RAMB36E1", BLOCK_RAM),
    ),
    "+/xilinx/cells_sim.v",
)

# Memories become flip-flops; enables and synchronous resets become gates before plain D flip-flops.
GATES = Target(
    "gates", "gates (NAND2 equivalents)",
    "synth -flatten -noabc -top {top}; dfflegalize -cell $_DFF_P_ 01 -cell $_DFF_PP0_ 01 -cell $_DFF_PP1_ 01; opt -full -nodffe -nosdff;"
    " abc -g NAND,NOR,XOR,XNOR,MUX,AOI3,OAI3,AOI4,OAI4; opt_clean",
    (
        ("$_NOT_", _gate(4)), ("$_NAND_", _gate(6)), ("$_NOR_", _gate(6)), ("$_AOI3_", _gate(8)), ("$_OAI3_", _gate(8)),
        ("$_AOI4_", _gate(10)), ("$_OAI4_", _gate(10)), ("$_XOR_", _gate(12)), ("$_XNOR_", _gate(12)), ("$_MUX_", _gate(14)),
        ("$_DFF_P_", FLIP_FLOP), ("$_DFF_PP?_", FLIP_FLOP),
    ),
)

TARGETS: dict[str, Target] = {target.name: target for target in (ICE40, ECP5, XC7, GATES)}
