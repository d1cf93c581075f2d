// The program measures opencalls under load. `make bench` runs it; docs/performance.md says how to
// read what it prints.
//
//	bench               run the benchmark, as the BENCH_… variables say
//	bench dataset ROWS  write the data that is measured, as an import file
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/opencalls/opencalls/bench/dataset"
)

// seed makes the data the same in every run.
const seed = 20270131

type commands struct {
	Run     settings       `cmd:"" default:"withargs" help:"Run the benchmark."`
	Dataset datasetCommand `cmd:"" help:"Write the data that is measured, as an import file."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := kong.Parse(&commands{}, operationNames(), kong.BindTo(ctx, (*context.Context)(nil)))
	command.FatalIfErrorf(command.Run())
}

// operationNames is what the settings' tags call ${operations}.
func operationNames() kong.Vars {
	var names []string
	for _, o := range operations {
		names = append(names, o.name)
	}
	return kong.Vars{"operations": strings.Join(names, ",")}
}

type datasetCommand struct {
	Rows int `arg:"" help:"How many organisations."`
}

// Run writes the data to the standard output.
func (c datasetCommand) Run() error {
	_, err := writeDataset(os.Stdout, c.Rows)
	return err
}

func writeDataset(out io.Writer, rows int) (dataset.Known, error) {
	return dataset.Write(out, dataset.Config{Organisations: rows, Seed: seed, Now: time.Now()})
}
